"""What a contact can be reached by."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField

from contacts.models import Contact
from contacts.services import update_contacts
from crm_project.dialects.onlyoffice.serializers import contact_infos as serializers
from crm_project.dialects.onlyoffice.serializers.params import OnlyofficeNoParameters
from crm_project.dialects.onlyoffice.views.base import described
from crm_project.dialects.onlyoffice.views.contacts import OnlyofficeContactBaseView


class OnlyofficeInfoTypeView(OnlyofficeContactBaseView):
    @described("Ways to reach a contact that are kept", CharField, many=True)
    def list(self, request: Request) -> Response:
        return self.many([kind.capitalize() for kind in serializers.HELD])

    @described("Categories of a way to reach a contact", CharField, many=True)
    def categories(self, request: Request, kind: str) -> Response:
        if kind.lower() not in serializers.TYPES:
            raise NotFound
        return self.many(serializers.held_categories(kind.lower()))


class OnlyofficeInfoView(OnlyofficeContactBaseView):
    """E-mail address, phones, web site and address; each has one place, and its number."""

    @described("What a contact can be reached by", serializers.OnlyofficeInfoNested, many=True)
    def list(self, request: Request, pk: str) -> Response:
        return self.many(serializers.infos(self.find("contact", pk)))

    @described(
        "One thing that a contact can be reached by, or all of one type", serializers.OnlyofficeInfoNested
    )
    def retrieve(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        if info.lower() in serializers.TYPES:
            return self.many(serializers.texts(contact, info.lower()))
        return self.one(serializers.info(contact, self._held(contact, info)))

    @described(
        "Add what a contact can be reached by",
        serializers.OnlyofficeInfoNested,
        request=serializers.OnlyofficeInfoWrite,
        status=201,
    )
    def create(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(serializers.OnlyofficeInfoWrite)
        return self.one(self._added(contact, sent), 201)

    @described(
        "Change what a contact can be reached by",
        serializers.OnlyofficeInfoNested,
        request=serializers.OnlyofficeInfoUpdate,
    )
    def replace(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        before, sent = self._held(contact, info), self.read(serializers.OnlyofficeInfoUpdate)
        kind = sent.get("info_type") or serializers.SLOTS[before].kind
        category = sent.get("category") or serializers.SLOTS[before].category
        return self.one(self._moved(contact, before, serializers.place_of(kind, category), sent))

    @described("Forget what a contact can be reached by", serializers.OnlyofficeInfoNested)
    def destroy(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        self.read(OnlyofficeNoParameters)
        name = self._held(contact, info)
        shown = serializers.info(contact, name)
        self._put(contact, serializers.emptied(name))
        return self.one(shown)

    @described(
        "Add a contact's address",
        serializers.OnlyofficeInfoNested,
        request=serializers.OnlyofficeAddressWrite,
        status=201,
    )
    def create_address(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(serializers.OnlyofficeAddressWrite)["address"]
        change = serializers.change_of_address(sent)
        serializers.require_free(contact, change)
        return self.one(self._address(contact, change, sent), 201)

    @described(
        "Change a contact's address",
        serializers.OnlyofficeInfoNested,
        request=serializers.OnlyofficeAddressWrite,
    )
    def replace_address(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        if self._held(contact, info) != "address":
            raise NotFound
        sent = self.read(serializers.OnlyofficeAddressWrite)["address"]
        return self.one(self._address(contact, serializers.change_of_address(sent), sent))

    @described(
        "Add all that a contact can be reached by",
        serializers.OnlyofficeInfoNested,
        request=serializers.OnlyofficeInfosWrite,
        many=True,
    )
    def create_all(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(serializers.OnlyofficeInfosWrite)
        change, names = self._merged(sent.get("infos") or [])
        serializers.require_free(contact, change)
        contact = self._put(contact, change)
        return self.many([serializers.info(contact, name) for name in names], status=201)

    @described(
        "Replace all that a contact can be reached by",
        serializers.OnlyofficeInfoNested,
        request=serializers.OnlyofficeInfosWrite,
        many=True,
    )
    def replace_all(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(serializers.OnlyofficeInfosWrite)
        change, names = self._merged(sent.get("infos") or [])
        for name in serializers.SLOTS.keys() - set(names):
            change |= serializers.emptied(name)
        contact = self._put(contact, change)
        return self.many([serializers.info(contact, name) for name in names])

    def _held(self, contact: Contact, number: str) -> str:
        """The place of this number, if there is something."""
        name = serializers.named(number)
        if name is None or not serializers.info(contact, name)["data"]:
            raise NotFound
        return name

    def _change(self, name: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        self.ignore(serializers.unsupported_names(name, sent))
        return serializers.written(name, sent["data"], self.get_serializer_context())

    def _added(self, contact: Contact, sent: Mapping[str, Any]) -> Any:
        name = serializers.place_of(sent["info_type"], sent.get("category"))
        change = self._change(name, sent)
        serializers.require_free(contact, change)
        return serializers.info(self._put(contact, change), name)

    def _moved(self, contact: Contact, before: str, name: str, sent: Mapping[str, Any]) -> Any:
        change = self._change(name, sent)
        if name != before:
            serializers.require_free(contact, change)
            change = {**serializers.emptied(before), **change}
        return serializers.info(self._put(contact, change), name)

    def _merged(self, infos: Any) -> tuple[dict[str, Any], Sequence[str]]:
        """The change that puts all of them in their places, and these places."""
        change: dict[str, Any] = {}
        names = [serializers.place_of(sent["info_type"], sent.get("category")) for sent in infos]
        for name, sent in zip(names, infos, strict=True):
            one = self._change(name, sent)
            if any(change.get(column, value) != value for column, value in one.items()):
                raise ValidationError({"items": ["This server keeps one of each."]})
            change |= one
        return change, names

    def _address(self, contact: Contact, change: dict[str, Any], sent: Mapping[str, Any]) -> Any:
        self.ignore(serializers.unsupported_names("address", sent))
        return serializers.info(self._put(contact, change), "address")

    def _put(self, contact: Contact, change: dict[str, Any]) -> Contact:
        return update_contacts(actor=self.actor, changes=[(contact, change)])[0].row
