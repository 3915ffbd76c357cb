"""Contacts: people and companies."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, merge_contacts, trash_contacts, update_contacts
from crm_project.dialects.onlyoffice.serializers import contacts as serializers
from crm_project.dialects.onlyoffice.serializers.params import OnlyofficeNoParameters
from crm_project.dialects.onlyoffice.serializers.people import OnlyofficePersonNested
from crm_project.dialects.onlyoffice.serializers.tags import with_tags
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from deals.models import Deal


class OnlyofficeContactBaseView(OnlyofficeView):
    """The base view of the endpoints of contacts."""

    def rows(self) -> Any:
        return Contact.objects.visible_to(self.actor.member)

    def representation(self, contact: Contact) -> Any:
        return self.serialize(
            serializers.OnlyofficeContactRead, Contact.objects.for_reading().get(pk=contact.pk)
        )

    def representations(self, ids: Sequence[int], part: Any = serializers.OnlyofficeContactRead) -> Any:
        """These contacts, read again, in this order. Their visibility must be checked already."""
        rows = Contact.objects.for_reading().in_bulk(ids)
        return self.serialize(part, [rows[pk] for pk in ids], many=True)

    def find_kind(self, kind: str, pk: str) -> Contact:
        contact: Contact = self.find("contact", pk)
        if contact.kind != kind:
            raise NotFound
        return contact

    def matching(self, sent: Mapping[str, Any]) -> Any:
        """The contacts that match the filter."""
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
        items = self.representations(ids, serializers.OnlyofficeContactNested)
        trash_contacts(actor=self.actor, rows=[Contact(pk=pk) for pk in ids])
        return self.many(items)


class OnlyofficeContactView(OnlyofficeContactBaseView):
    @described("A contact", serializers.OnlyofficeContactRead)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.one(self.representation(self.find("contact", pk)))

    @described("Delete a contact", serializers.OnlyofficeContactRead)
    def destroy(self, request: Request, pk: str) -> Response:
        contact = self.find("contact", pk)
        self.read(OnlyofficeNoParameters)
        data = self.representation(contact)
        trash_contacts(actor=self.actor, rows=[contact])
        return self.one(data)

    @described(
        "Delete contacts",
        serializers.OnlyofficeContactNested,
        request=serializers.OnlyofficeContactIds,
        many=True,
    )
    def trash_many(self, request: Request) -> Response:
        return self.trashed(self.read(serializers.OnlyofficeContactIds)["contacts"])

    @described(
        "Merge two contacts", serializers.OnlyofficeContactRead, request=serializers.OnlyofficeMergeWrite
    )
    def merge(self, request: Request) -> Response:
        sent = self.read(serializers.OnlyofficeMergeWrite)
        source, target = Contact(pk=sent["source"]), Contact(pk=sent["target"])
        merged = merge_contacts(actor=self.actor, sources=[source], target=target)
        return self.one(self.representation(merged.row))


class OnlyofficePersonView(OnlyofficeContactBaseView):
    @described(
        "Create a person",
        serializers.OnlyofficeContactRead,
        request=serializers.OnlyofficePersonWrite,
        status=201,
    )
    def create(self, request: Request) -> Response:
        sent = self.read(serializers.OnlyofficePersonWrite)
        serializers.require_name(None, sent)
        change = {**serializers.change_of_contact(None, sent), "kind": "person"}
        return self.one(self.representation(self.created([change])[0]), 201)

    @described(
        "Create people",
        serializers.OnlyofficeContactNested,
        request=serializers.OnlyofficeQuickPeopleWrite,
        many=True,
        status=201,
    )
    def create_many(self, request: Request) -> Response:
        people = [
            sent for sent in self.read(serializers.OnlyofficeQuickPeopleWrite)["people"] if all(sent.values())
        ]
        rows = self.created({**sent, "kind": "person", "incomplete": True} for sent in people)
        return self.many(
            self.representations([row.pk for row in rows], serializers.OnlyofficeContactNested), status=201
        )

    @described(
        "Replace a person", serializers.OnlyofficeContactRead, request=serializers.OnlyofficePersonWrite
    )
    def replace(self, request: Request, pk: str) -> Response:
        person = self.find_kind("person", pk)
        sent = self.read(serializers.OnlyofficePersonWrite)
        serializers.require_name(person, sent)
        self.updated(person, serializers.change_of_contact(person, sent))
        return self.one(self.representation(person))


class OnlyofficeCompanyView(OnlyofficeContactBaseView):
    @described(
        "Create a company",
        serializers.OnlyofficeContactRead,
        request=serializers.OnlyofficeCompanyWrite,
        status=201,
    )
    def create(self, request: Request) -> Response:
        sent = self.read(serializers.OnlyofficeCompanyWrite)
        change = {**serializers.change_of_contact(None, sent), "kind": "company"}
        company = self.created([change])[0]
        people = self.rows().filter(pk__in=sent.get("people") or ())
        update_contacts(actor=self.actor, changes=[(person, {"company": company.pk}) for person in people])
        return self.one(self.representation(company), 201)

    @described(
        "Create companies",
        serializers.OnlyofficeContactNested,
        request=serializers.OnlyofficeQuickCompaniesWrite,
        many=True,
        status=201,
    )
    def create_many(self, request: Request) -> Response:
        names = self.read(serializers.OnlyofficeQuickCompaniesWrite)["names"]
        rows = self.created({"name": name, "kind": "company", "incomplete": True} for name in names)
        return self.many(
            self.representations([row.pk for row in rows], serializers.OnlyofficeContactNested), status=201
        )

    @described(
        "Replace a company", serializers.OnlyofficeContactRead, request=serializers.OnlyofficeCompanyWrite
    )
    def replace(self, request: Request, pk: str) -> Response:
        company = self.find_kind("company", pk)
        sent = self.read(serializers.OnlyofficeCompanyWrite)
        if sent.get("people"):
            # The vendor's parameter of a creation alone; people are added by a request of their own.
            self.ignore(["personList"])
        self.updated(company, serializers.change_of_contact(company, sent))
        return self.one(self.representation(company))

    @described("The people of a company", serializers.OnlyofficeContactRead, many=True)
    def people(self, request: Request, pk: str) -> Response:
        company = self.find_kind("company", pk)
        rows = self.rows().filter(company=company).order_by("id")
        return self.many(
            self.serialize(serializers.OnlyofficeContactRead, list(rows.for_reading()), many=True)
        )

    @described(
        "Add a person to a company",
        serializers.OnlyofficeContactRead,
        request=serializers.OnlyofficeCompanyPersonWrite,
        status=201,
    )
    def add_person(self, request: Request, pk: str) -> Response:
        company, person = self.find_kind("company", pk), self._person()
        self.updated(person, {"company": company.pk})
        return self.one(self.representation(person), 201)

    @described(
        "Remove a person from a company",
        serializers.OnlyofficeContactRead,
        request=serializers.OnlyofficeCompanyPersonWrite,
    )
    def remove_person(self, request: Request, pk: str) -> Response:
        company, person = self.find_kind("company", pk), self._person()
        if person.company_id != company.pk:
            raise NotFound
        self.updated(person, {"company": None})
        return self.one(self.representation(person))

    def _person(self) -> Contact:
        person: Contact = self.rows().get(pk=self.read(serializers.OnlyofficeCompanyPersonWrite)["person"])
        if person.kind != "person":
            raise NotFound
        return person


class OnlyofficeContactAccessView(OnlyofficeContactBaseView):
    """The managers of contacts. All members see all contacts; the manager is the owner."""

    @described("The managers of a contact", OnlyofficePersonNested, many=True)
    def list(self, request: Request, pk: str) -> Response:
        contact = self.find("contact", pk)
        owners = [contact.owner] if contact.owner else []
        return self.many(self.serialize(OnlyofficePersonNested, owners, many=True))

    @described(
        "Set the managers of a contact",
        serializers.OnlyofficeContactRead,
        request=serializers.OnlyofficeContactAccessWrite,
    )
    def set(self, request: Request, pk: str) -> Response:
        contact = self.find("contact", pk)
        return self.one(self._set([contact.pk], self.read(serializers.OnlyofficeContactAccessWrite))[0])

    @described(
        "Set the managers of contacts",
        serializers.OnlyofficeContactRead,
        request=serializers.OnlyofficeBulkContactAccessWrite,
        many=True,
    )
    def set_many(self, request: Request) -> Response:
        sent = self.read(serializers.OnlyofficeBulkContactAccessWrite)
        return self.many(self._set(sent["contacts"], sent))

    @described(
        "Set the managers of the contacts that match",
        serializers.OnlyofficeContactRead,
        request=serializers.OnlyofficeMatchingContactAccessWrite,
        many=True,
    )
    def set_matching(self, request: Request) -> Response:
        sent, ids = self.read_bulk_filter(serializers.OnlyofficeMatchingContactAccessWrite, self.matching)
        return self.many(self._set(ids, sent))

    def _set(self, ids: Sequence[int], sent: Mapping[str, Any]) -> Any:
        if sent.get("owners") is not None:
            change = {"owner": next(iter(sent["owners"]), None)}
            update_contacts(actor=self.actor, changes=[(Contact(pk=pk), change) for pk in ids])
        return self.representations(ids)
