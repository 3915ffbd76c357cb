"""What a contact can be reached by."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import update_contacts
from crm_project.dialects.onlyoffice.views.base import described
from crm_project.dialects.onlyoffice.views.contacts import ContactsView
from crm_project.dialects.onlyoffice.wire import contact_infos as wire
from crm_project.dialects.onlyoffice.wire.params import Nothing


class InfoTypeView(ContactsView):
    @described("Ways to reach a contact that are kept", serializers.CharField, many=True)
    def list(self, request: Request) -> Response:
        return self.many([kind.capitalize() for kind in wire.HELD])

    @described("Categories of a way to reach a contact", serializers.CharField, many=True)
    def categories(self, request: Request, kind: str) -> Response:
        if kind.lower() not in wire.TYPES:
            raise NotFound
        return self.many(wire.held_categories(kind.lower()))


class InfoView(ContactsView):
    """E-mail address, phones, web site and address; each has one place, and its number."""

    @described("What a contact can be reached by", wire.InfoPart, many=True)
    def list(self, request: Request, pk: str) -> Response:
        return self.many(wire.infos(self.find("contact", pk)))

    @described("One thing that a contact can be reached by, or all of one type", wire.InfoPart)
    def retrieve(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        if info.lower() in wire.TYPES:
            return self.many(wire.texts(contact, info.lower()))
        return self.one(wire.info(contact, self._held(contact, info)))

    @described("Add what a contact can be reached by", wire.InfoPart, request=wire.Info, status=201)
    def create(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(wire.Info)
        return self.one(self._added(contact, sent), 201)

    @described("Change what a contact can be reached by", wire.InfoPart, request=wire.ChangedInfo)
    def replace(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        before, sent = self._held(contact, info), self.read(wire.ChangedInfo)
        kind = sent.get("info_type") or wire.PLACES[before].kind
        category = sent.get("category") or wire.PLACES[before].category
        return self.one(self._moved(contact, before, wire.place_of(kind, category), sent))

    @described("Forget what a contact can be reached by", wire.InfoPart)
    def destroy(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        self.read(Nothing)
        name = self._held(contact, info)
        shown = wire.info(contact, name)
        self._put(contact, wire.emptied(name))
        return self.one(shown)

    @described("Add a contact's address", wire.InfoPart, request=wire.WrittenAddress, status=201)
    def create_address(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(wire.WrittenAddress)["address"]
        change = wire.change_of_address(sent)
        wire.require_free(contact, change)
        return self.one(self._address(contact, change, sent), 201)

    @described("Change a contact's address", wire.InfoPart, request=wire.WrittenAddress)
    def replace_address(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        if self._held(contact, info) != "address":
            raise NotFound
        sent = self.read(wire.WrittenAddress)["address"]
        return self.one(self._address(contact, wire.change_of_address(sent), sent))

    @described("Add all that a contact can be reached by", wire.InfoPart, request=wire.Infos, many=True)
    def create_all(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(wire.Infos)
        change, names = self._merged(sent.get("infos") or [])
        wire.require_free(contact, change)
        contact = self._put(contact, change)
        return self.many([wire.info(contact, name) for name in names], status=201)

    @described("Replace all that a contact can be reached by", wire.InfoPart, request=wire.Infos, many=True)
    def replace_all(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(wire.Infos)
        change, names = self._merged(sent.get("infos") or [])
        for name in wire.PLACES.keys() - set(names):
            change |= wire.emptied(name)
        contact = self._put(contact, change)
        return self.many([wire.info(contact, name) for name in names])

    def _held(self, contact: Contact, number: str) -> str:
        """The place of this number, if there is something."""
        name = wire.named(number)
        if name is None or not wire.info(contact, name)["data"]:
            raise NotFound
        return name

    def _change(self, name: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        self.ignore(wire.unkept(name, sent))
        return wire.written(name, sent["data"], self.get_serializer_context())

    def _added(self, contact: Contact, sent: Mapping[str, Any]) -> Any:
        name = wire.place_of(sent["info_type"], sent.get("category"))
        change = self._change(name, sent)
        wire.require_free(contact, change)
        return wire.info(self._put(contact, change), name)

    def _moved(self, contact: Contact, before: str, name: str, sent: Mapping[str, Any]) -> Any:
        change = self._change(name, sent)
        if name != before:
            wire.require_free(contact, change)
            change = {**wire.emptied(before), **change}
        return wire.info(self._put(contact, change), name)

    def _merged(self, infos: Any) -> tuple[dict[str, Any], Sequence[str]]:
        """The change that puts all of them in their places, and these places."""
        change: dict[str, Any] = {}
        names = [wire.place_of(sent["info_type"], sent.get("category")) for sent in infos]
        for name, sent in zip(names, infos, strict=True):
            one = self._change(name, sent)
            if any(change.get(column, value) != value for column, value in one.items()):
                raise ValidationError({"items": ["This server keeps one of each."]})
            change |= one
        return change, names

    def _address(self, contact: Contact, change: dict[str, Any], sent: Mapping[str, Any]) -> Any:
        self.ignore(wire.unkept("address", sent))
        return wire.info(self._put(contact, change), "address")

    def _put(self, contact: Contact, change: dict[str, Any]) -> Contact:
        return update_contacts(actor=self.actor, changes=[(contact, change)])[0].row
