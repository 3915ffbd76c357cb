"""Contacts: people and companies."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, trash_contacts, update_contacts
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from crm_project.dialects.onlyoffice.wire import contacts as wire
from crm_project.dialects.onlyoffice.wire.params import Nothing
from crm_project.dialects.onlyoffice.wire.people import PersonPart
from crm_project.dialects.onlyoffice.wire.tags import with_tags
from deals.models import Deal
from deals.services import merge_contacts


class ContactsView(OnlyofficeView):
    """What all endpoints show: contacts, with their companies."""

    def rows(self) -> Any:
        return Contact.objects.visible_to(self.actor.member)

    def shown(self, contact: Contact) -> Any:
        return self.show(wire.ShownContact, Contact.objects.for_reading().get(pk=contact.pk))

    def all_shown(self, ids: Sequence[int], part: Any = wire.ShownContact) -> Any:
        """These contacts as the database has them now, in this order; the actor has been let to them."""
        rows = Contact.objects.for_reading().in_bulk(ids)
        return self.show(part, [rows[pk] for pk in ids], many=True)

    def find_kind(self, kind: str, pk: str) -> Contact:
        contact: Contact = self.find("contact", pk)
        if contact.kind != kind:
            raise NotFound
        return contact

    def matching(self, sent: Mapping[str, Any]) -> Any:
        """The contacts that the filter finds."""
        rows = with_tags(self.rows().matching(sent.get("filterValue") or ""), sent.get("tags") or ())
        view = sent.get("contactListView") or "all"
        nothing_has = any((sent.get(name) or 0) > 0 for name in ("contactStage", "contactType"))
        if nothing_has or sent.get("isShared") is False:
            return rows.none()
        if view in ("company", "person"):
            rows = rows.filter(kind=view)
        elif view == "withopportunity":
            deals = Deal.objects.visible_to(self.actor.member)
            own = [Exists(deals.filter(**{part: OuterRef("pk")})) for part in ("contact", "client")]
            rows = rows.filter(own[0] | own[1])
        if sent.get("responsibleid") is not None:
            rows = rows.filter(owner=sent["responsibleid"])
        if sent.get("fromDate"):
            rows = rows.filter(created_at__gte=sent["fromDate"])
        return rows.filter(created_at__lte=sent["toDate"]) if sent.get("toDate") else rows

    def created(self, changes: Iterable[Mapping[str, Any]]) -> list[Contact]:
        return create_contacts(actor=self.actor, changes=list(changes))

    def updated(self, contact: Contact, change: Mapping[str, Any]) -> None:
        update_contacts(actor=self.actor, changes=[(contact, change)])

    def trashed(self, ids: Sequence[int]) -> Response:
        items = self.all_shown(ids, wire.ContactPart)
        trash_contacts(actor=self.actor, rows=[Contact(pk=pk) for pk in ids])
        return self.many(items)


class ContactView(ContactsView):
    @described("A contact", wire.ShownContact)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.one(self.shown(self.find("contact", pk)))

    @described("Delete a contact", wire.ShownContact)
    def destroy(self, request: Request, pk: str) -> Response:
        contact = self.find("contact", pk)
        self.read(Nothing)
        shown = self.shown(contact)
        trash_contacts(actor=self.actor, rows=[contact])
        return self.one(shown)

    @described("Delete contacts", wire.ContactPart, request=wire.ContactIds, many=True)
    def trash_many(self, request: Request) -> Response:
        return self.trashed(self.read(wire.ContactIds)["contacts"])

    @described("Make two contacts one", wire.ShownContact, request=wire.Merge)
    def merge(self, request: Request) -> Response:
        sent = self.read(wire.Merge)
        source, target = Contact(pk=sent["source"]), Contact(pk=sent["target"])
        return self.one(self.shown(merge_contacts(actor=self.actor, source=source, target=target)))


class PersonView(ContactsView):
    @described("Create a person", wire.ShownContact, request=wire.WrittenPerson, status=201)
    def create(self, request: Request) -> Response:
        sent = self.read(wire.WrittenPerson)
        wire.require_name(None, sent)
        change = {**wire.change_of_contact(None, sent), "kind": "person"}
        return self.one(self.shown(self.created([change])[0]), 201)

    @described("Create people", wire.ContactPart, request=wire.QuickPeople, many=True, status=201)
    def create_many(self, request: Request) -> Response:
        people = [sent for sent in self.read(wire.QuickPeople)["people"] if all(sent.values())]
        rows = self.created({**sent, "kind": "person", "incomplete": True} for sent in people)
        return self.many(self.all_shown([row.pk for row in rows], wire.ContactPart), status=201)

    @described("Replace a person", wire.ShownContact, request=wire.WrittenPerson)
    def replace(self, request: Request, pk: str) -> Response:
        person = self.find_kind("person", pk)
        sent = self.read(wire.WrittenPerson)
        wire.require_name(person, sent)
        self.updated(person, wire.change_of_contact(person, sent))
        return self.one(self.shown(person))


class CompanyView(ContactsView):
    @described("Create a company", wire.ShownContact, request=wire.WrittenCompany, status=201)
    def create(self, request: Request) -> Response:
        sent = self.read(wire.WrittenCompany)
        change = {**wire.change_of_contact(None, sent), "kind": "company"}
        company = self.created([change])[0]
        people = self.rows().filter(pk__in=sent.get("people") or ())
        update_contacts(actor=self.actor, changes=[(person, {"company": company.pk}) for person in people])
        return self.one(self.shown(company), 201)

    @described("Create companies", wire.ContactPart, request=wire.QuickCompanies, many=True, status=201)
    def create_many(self, request: Request) -> Response:
        names = self.read(wire.QuickCompanies)["names"]
        rows = self.created({"name": name, "kind": "company", "incomplete": True} for name in names)
        return self.many(self.all_shown([row.pk for row in rows], wire.ContactPart), status=201)

    @described("Replace a company", wire.ShownContact, request=wire.WrittenCompany)
    def replace(self, request: Request, pk: str) -> Response:
        company = self.find_kind("company", pk)
        self.updated(company, wire.change_of_contact(company, self.read(wire.WrittenCompany)))
        return self.one(self.shown(company))

    @described("The people of a company", wire.ShownContact, many=True)
    def people(self, request: Request, pk: str) -> Response:
        company = self.find_kind("company", pk)
        rows = self.rows().filter(company=company).order_by("id")
        return self.many(self.show(wire.ShownContact, list(rows.for_reading()), many=True))

    @described(
        "Let a person belong to a company", wire.ShownContact, request=wire.PersonOfCompany, status=201
    )
    def add_person(self, request: Request, pk: str) -> Response:
        company, person = self.find_kind("company", pk), self._person()
        self.updated(person, {"company": company.pk})
        return self.one(self.shown(person), 201)

    @described("Let a person belong to a company no more", wire.ShownContact, request=wire.PersonOfCompany)
    def remove_person(self, request: Request, pk: str) -> Response:
        company, person = self.find_kind("company", pk), self._person()
        if person.company_id != company.pk:
            raise NotFound
        self.updated(person, {"company": None})
        return self.one(self.shown(person))

    def _person(self) -> Contact:
        person: Contact = self.rows().get(pk=self.read(wire.PersonOfCompany)["person"])
        if person.kind != "person":
            raise NotFound
        return person


class ContactAccessView(ContactsView):
    """Everybody sees every contact; whoever manages it owns it."""

    @described("Who manages a contact", PersonPart, many=True)
    def list(self, request: Request, pk: str) -> Response:
        contact = self.find("contact", pk)
        owners = [contact.owner] if contact.owner else []
        return self.many(self.show(PersonPart, owners, many=True))

    @described("Set who manages a contact", wire.ShownContact, request=wire.ContactAccess)
    def set(self, request: Request, pk: str) -> Response:
        contact = self.find("contact", pk)
        return self.one(self._set([contact.pk], self.read(wire.ContactAccess))[0])

    @described("Set who manages contacts", wire.ShownContact, request=wire.ContactAccessOfMany, many=True)
    def set_many(self, request: Request) -> Response:
        sent = self.read(wire.ContactAccessOfMany)
        return self.many(self._set(sent["contacts"], sent))

    @described(
        "Set who manages the contacts that match",
        wire.ShownContact,
        request=wire.ContactAccessOfMatching,
        many=True,
    )
    def set_matching(self, request: Request) -> Response:
        sent, ids = self.narrowed(wire.ContactAccessOfMatching, self.matching)
        return self.many(self._set(ids, sent))

    def _set(self, ids: Sequence[int], sent: Mapping[str, Any]) -> Any:
        if sent.get("owners") is not None:
            change = {"owner": next(iter(sent["owners"]), None)}
            update_contacts(actor=self.actor, changes=[(Contact(pk=pk), change) for pk in ids])
        return self.all_shown(ids)
