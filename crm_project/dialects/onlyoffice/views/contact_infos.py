"""Contact infos: e-mail address, phone numbers, web site, address."""

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
    @described("Types of contact infos", CharField, many=True)
    def list(self, request: Request) -> Response:
        return self.many([kind.capitalize() for kind in serializers.STORED_TYPES])

    @described("Categories of a type of contact info", CharField, many=True)
    def categories(self, request: Request, kind: str) -> Response:
        if kind.lower() not in serializers.TYPES:
            raise NotFound
        return self.many(serializers.categories_in_use(kind.lower()))


class OnlyofficeInfoView(OnlyofficeContactBaseView):
    """The infos of a contact; each slot has a fixed id."""

    @described("The infos of a contact", serializers.OnlyofficeInfoNested, many=True)
    def list(self, request: Request, pk: str) -> Response:
        return self.many(serializers.infos(self.find("contact", pk)))

    @described("An info of a contact, or all of one type", serializers.OnlyofficeInfoNested)
    def retrieve(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        if info.lower() in serializers.TYPES:
            return self.many(serializers.texts(contact, info.lower()))
        return self.one(serializers.info(contact, self._filled_slot(contact, info)))

    @described(
        "Add an info of a contact",
        serializers.OnlyofficeInfoNested,
        request=serializers.OnlyofficeInfoWrite,
        status=201,
    )
    def create(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(serializers.OnlyofficeInfoWrite)
        return self.one(self._added(contact, sent), 201)

    @described(
        "Change an info of a contact",
        serializers.OnlyofficeInfoNested,
        request=serializers.OnlyofficeInfoUpdate,
    )
    def replace(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        before, sent = self._filled_slot(contact, info), self.read(serializers.OnlyofficeInfoUpdate)
        kind = sent.get("info_type") or serializers.SLOTS[before].kind
        category = sent.get("category") or serializers.SLOTS[before].category
        return self.one(self._moved(contact, before, serializers.slot_for(kind, category), sent))

    @described("Delete an info of a contact", serializers.OnlyofficeInfoNested)
    def destroy(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        self.read(OnlyofficeNoParameters)
        name = self._filled_slot(contact, info)
        data = serializers.info(contact, name)
        self._put(contact, serializers.change_to_empty(name))
        return self.one(data)

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
        if self._filled_slot(contact, info) != "address":
            raise NotFound
        sent = self.read(serializers.OnlyofficeAddressWrite)["address"]
        return self.one(self._address(contact, serializers.change_of_address(sent), sent))

    @described(
        "Add infos of a contact",
        serializers.OnlyofficeInfoNested,
        request=serializers.OnlyofficeInfosWrite,
        many=True,
        status=201,
    )
    def create_all(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(serializers.OnlyofficeInfosWrite)
        change, names = self._merged(sent.get("infos") or [])
        serializers.require_free(contact, change)
        contact = self._put(contact, change)
        return self.many([serializers.info(contact, name) for name in names], status=201)

    @described(
        "Replace the infos of a contact",
        serializers.OnlyofficeInfoNested,
        request=serializers.OnlyofficeInfosWrite,
        many=True,
    )
    def replace_all(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(serializers.OnlyofficeInfosWrite)
        change, names = self._merged(sent.get("infos") or [])
        for name in serializers.SLOTS.keys() - set(names):
            change |= serializers.change_to_empty(name)
        contact = self._put(contact, change)
        return self.many([serializers.info(contact, name) for name in names])

    def _filled_slot(self, contact: Contact, number: str) -> str:
        """The name of the slot with this id, else 404; an empty slot does not exist."""
        name = serializers.slot_of_id(number)
        if name is None or not serializers.info(contact, name)["data"]:
            raise NotFound
        return name

    def _change(self, name: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        self.ignore(serializers.unsupported_names(name, sent))
        return serializers.change_of_data(name, sent["data"], self.get_serializer_context())

    def _added(self, contact: Contact, sent: Mapping[str, Any]) -> Any:
        name = serializers.slot_for(sent["info_type"], sent.get("category"))
        change = self._change(name, sent)
        serializers.require_free(contact, change)
        return serializers.info(self._put(contact, change), name)

    def _moved(self, contact: Contact, before: str, name: str, sent: Mapping[str, Any]) -> Any:
        change = self._change(name, sent)
        if name != before:
            serializers.require_free(contact, change)
            change = {**serializers.change_to_empty(before), **change}
        return serializers.info(self._put(contact, change), name)

    def _merged(self, infos: Any) -> tuple[dict[str, Any], Sequence[str]]:
        """The change that stores all infos, and the names of their slots."""
        change: dict[str, Any] = {}
        names = [serializers.slot_for(sent["info_type"], sent.get("category")) for sent in infos]
        for name, sent in zip(names, infos, strict=True):
            one = self._change(name, sent)
            if any(change.get(column, value) != value for column, value in one.items()):
                raise ValidationError({"items": ["This server stores one of each."]})
            change |= one
        return change, names

    def _address(self, contact: Contact, change: dict[str, Any], sent: Mapping[str, Any]) -> Any:
        self.ignore(serializers.unsupported_names("address", sent))
        return serializers.info(self._put(contact, change), "address")

    def _put(self, contact: Contact, change: dict[str, Any]) -> Contact:
        return update_contacts(actor=self.actor, changes=[(contact, change)])[0].row
