"""Contacts: people and companies."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, trash_contacts, update_contacts
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from crm_project.dialects.onlyoffice.wire import contacts as wire
from crm_project.dialects.onlyoffice.wire.envelope import PAGE
from crm_project.dialects.onlyoffice.wire.params import Nothing
from deals.models import Deal


class ContactsView(OnlyofficeView):
    """What all endpoints show: contacts, with their companies."""

    queries = {"list": wire.ContactFilter, "by_email": wire.EmailSearch}

    def rows(self) -> Any:
        return Contact.objects.visible_to(self.actor.member)

    def shown(self, contact: Contact) -> Any:
        return self.show(wire.ShownContact, Contact.objects.for_reading().get(pk=contact.pk))

    def find_kind(self, kind: str, pk: str) -> Contact:
        contact: Contact = self.find("contact", pk)
        if contact.kind != kind:
            raise NotFound
        return contact


class ContactView(ContactsView):
    @described("A contact", wire.ShownContact)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.one(self.shown(self.find("contact", pk)))

    @described("Delete a contact", wire.ShownContact)
    def destroy(self, request: Request, pk: str) -> Response:
        contact = self.find("contact", pk)
        self.read(Nothing)
        shown = self.shown(contact)
        trash_contacts(actor=self.actor, contacts=[contact])
        return self.one(shown)

    @described("Contacts that match", wire.ShownContact, many=True)
    def list(self, request: Request) -> Response:
        newest = "created" if "sortBy" not in self.query else ""
        if newest and "sortOrder" not in self.query:
            self.query["sortOrder"] = "descending"
        rows = self._matching(self.query).order_by(*self.ordering(wire.SORTS, "created"))
        found, paging = self.page(rows.for_reading())
        return self.many(self.show(wire.ShownContact, found, many=True), **paging)

    @described("Contacts with an e-mail address, by it or by their name", wire.ContactItem, many=True)
    def by_email(self, request: Request) -> Response:
        rows = self.rows().matching(self.query["term"] or "").exclude(email="").order_by("full_name", "id")
        limit = self.query["maxCount"] if 0 < self.query["maxCount"] < PAGE else PAGE
        return self.many(self.show(wire.ContactItem, list(rows.for_reading()[:limit]), many=True))

    def _matching(self, sent: Mapping[str, Any]) -> Any:
        rows = self.rows().matching(sent.get("filterValue") or "")
        view = (sent.get("contactListView") or "").lower()
        if sent.get("tags") or (sent.get("contactStage") or 0) > 0 or (sent.get("contactType") or 0) > 0:
            return rows.none()  # nothing has them here
        if view in ("company", "person"):
            rows = rows.filter(kind=view)
        elif view == "withopportunity":
            deals = Deal.objects.visible_to(self.actor.member)
            own = [Exists(deals.filter(**{part: OuterRef("pk")})) for part in ("contact", "client")]
            rows = rows.filter(own[0] | own[1])
        elif view:
            raise ValidationError({"contactListView": [f"One of: {', '.join(wire.VIEWS)}."]})
        if sent.get("responsibleid") is not None:
            rows = rows.filter(owner=sent["responsibleid"])
        if sent.get("fromDate"):
            rows = rows.filter(created_at__gte=sent["fromDate"])
        return rows.filter(created_at__lte=sent["toDate"]) if sent.get("toDate") else rows


class PersonView(ContactsView):
    @described("Create a person", wire.ShownContact, request=wire.WrittenPerson, status=201)
    def create(self, request: Request) -> Response:
        sent = self.read(wire.WrittenPerson)
        wire.require_name(None, sent)
        change = {**wire.change_of_contact(None, sent), "kind": "person"}
        return self.one(self.shown(create_contacts(actor=self.actor, changes=[change])[0]), 201)

    @described("Replace a person", wire.ShownContact, request=wire.WrittenPerson)
    def replace(self, request: Request, pk: str) -> Response:
        person = self.find_kind("person", pk)
        sent = self.read(wire.WrittenPerson)
        wire.require_name(person, sent)
        update_contacts(actor=self.actor, changes=[(person, wire.change_of_contact(person, sent))])
        return self.one(self.shown(person))


class CompanyView(ContactsView):
    @described("Create a company", wire.ShownContact, request=wire.WrittenCompany, status=201)
    def create(self, request: Request) -> Response:
        sent = self.read(wire.WrittenCompany)
        change = {**wire.change_of_contact(None, sent), "kind": "company"}
        company = create_contacts(actor=self.actor, changes=[change])[0]
        people = self.rows().filter(pk__in=sent.get("people") or ())
        update_contacts(actor=self.actor, changes=[(person, {"company": company.pk}) for person in people])
        return self.one(self.shown(company), 201)

    @described("Replace a company", wire.ShownContact, request=wire.WrittenCompany)
    def replace(self, request: Request, pk: str) -> Response:
        company = self.find_kind("company", pk)
        change = wire.change_of_contact(company, self.read(wire.WrittenCompany))
        update_contacts(actor=self.actor, changes=[(company, change)])
        return self.one(self.shown(company))

    @described("The people of a company", wire.ShownContact, many=True)
    def people(self, request: Request, pk: str) -> Response:
        company = self.find_kind("company", pk)
        rows = self.rows().filter(company=company).order_by("id")
        return self.many(self.show(wire.ShownContact, list(rows.for_reading()), many=True))


class InfoView(ContactsView):
    """E-mail address, phones and web site; each has one place."""

    @described("What a contact can be reached by", wire.InfoPart, many=True)
    def list(self, request: Request, pk: str) -> Response:
        return self.many(wire.infos(self.find("contact", pk)))

    @described("Add what a contact can be reached by", wire.InfoPart, request=wire.Info, status=201)
    def create(self, request: Request, pk: str) -> Response:
        contact, sent = self.find("contact", pk), self.read(wire.Info)
        name = wire.info_name(sent)
        if getattr(contact, name) not in ("", sent["data"]):
            raise ValidationError({"data": ["This server keeps one of these; delete the other one first."]})
        receipt = update_contacts(actor=self.actor, changes=[(contact, {name: sent["data"]})])[0]
        return self.one(self._info(receipt.row, name), 201)

    @described("Forget what a contact can be reached by", wire.InfoPart)
    def destroy(self, request: Request, pk: str, info: str) -> Response:
        contact = self.find("contact", pk)
        self.read(Nothing)
        name = next((name for name, place in wire.INFOS.items() if str(place[0]) == info), None)
        if name is None or not getattr(contact, name):
            raise NotFound
        shown = self._info(contact, name)
        update_contacts(actor=self.actor, changes=[(contact, {name: ""})])
        return self.one(shown)

    def _info(self, contact: Contact, name: str) -> Any:
        return next(info for info in wire.infos(contact) if info["id"] == wire.INFOS[name][0])
