"""`/contacts`: people and companies."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import (
    create_contacts,
    find_or_create_company,
    trash_contacts,
    update_contacts,
    upsert_person,
)
from crm_project.accounts.rules import Permission
from crm_project.dialects.kit.names import is_overridden, is_same
from crm_project.dialects.leadconnector.serializers import contact_search as searches
from crm_project.dialects.leadconnector.serializers import contacts as serializers
from crm_project.dialects.leadconnector.serializers import pages
from crm_project.dialects.leadconnector.serializers.opportunities import Done
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.errors import Conflict

Change = dict[str, Any]


class LeadConnectorContactPageView(LeadConnectorView):
    def _page(self, order: pages.PageOrder, query: Change) -> pages.Page:
        rows = people(self.actor.member)
        if query.get("q"):
            rows = rows.matching(query["q"])
        if "filters" in query:
            rows = rows.filter(query["filters"])
        return pages.page_of(self, "contact", rows, order, query)

    def _represent(self, page: pages.Page) -> list[Any]:
        return [
            dict(row) for row in self.serialize(serializers.LeadConnectorContactRead, page.rows, many=True)
        ]


class LeadConnectorContactView(LeadConnectorContactPageView):
    """The list of contacts, and one contact."""

    queries = {"index": searches.LeadConnectorContactQuery}

    @extend_schema(
        operation_id="dialects_leadconnector_contacts_list",
        responses=serializers.Contacts,
        summary="List, newest first",
    )
    def index(self, request: Request) -> Response:
        page = self._page(searches.order_of(self.query), self.query)
        meta = pages.meta(self, page, self.query)
        return Response({"contacts": self._represent(page), "count": page.total, "meta": meta})

    @extend_schema(
        request=serializers.LeadConnectorContactCreate,
        responses={201: serializers.OneContact},
        summary="Create",
    )
    def create(self, request: Request) -> Response:
        change = self._change(self.read(serializers.LeadConnectorContactCreate), None)
        self._refuse_duplicate(change)
        contact = create_contacts(actor=self.actor, changes=[change])[0]
        return Response({"contact": self.representation(contact)}, self.create_status)

    @extend_schema(
        request=serializers.LeadConnectorContactUpsert,
        responses={200: serializers.UpsertedContact},
        summary="Update the contact of this e-mail, else of this phone number, else create it",
    )
    def upsert(self, request: Request) -> Response:
        change = self._change(self.read(serializers.LeadConnectorContactUpsert), None)
        receipt = upsert_person(actor=self.actor, change=change)
        is_new = receipt.outcome == "created"
        return Response(
            {"new": is_new, **self.done, "contact": self.representation(receipt.row), **self.trace}
        )

    @extend_schema(responses=serializers.OneContact, summary="One contact")
    def retrieve(self, request: Request, row_id: str) -> Response:
        return Response({"contact": self.representation(self.find("contact", row_id))})

    @extend_schema(
        request=serializers.LeadConnectorContactUpdate,
        responses=serializers.ChangedAnswer,
        summary="Change the fields in the body",
    )
    def update(self, request: Request, row_id: str) -> Response:
        contact = self.find("contact", row_id)
        change = self._change(self.read(serializers.LeadConnectorContactUpdate), contact)
        update_contacts(actor=self.actor, changes=[(contact, change)])
        return Response({**self.done, "contact": self.representation(contact)})

    @extend_schema(request=None, responses=Done, summary="Move to the trash")
    def destroy(self, request: Request, row_id: str) -> Response:
        trash_contacts(actor=self.actor, rows=[self.find("contact", row_id)])
        return Response(self.done)

    def _change(self, sent: Change, contact: Contact | None) -> Change:
        """The core's change: one name becomes two, and the name of a company becomes the company."""
        if is_overridden(sent.get("full"), sent, contact):
            self.ignore(["name"])
        change = serializers.contact_change(sent, contact)
        if "company_name" not in change:
            return change
        name = change.pop("company_name")
        if serializers.is_company(contact) or is_same(name or "", _company_name(contact)):
            return change
        company = find_or_create_company(actor=self.actor, name=name) if name else None
        return {**change, "company": company and company.pk}

    def _refuse_duplicate(self, change: Change) -> None:
        """The core refuses a duplicate too; the vendor's refusal also has the id of the existing contact."""
        email = change.get("email")
        people = Contact.objects.visible_to(self.actor.member).filter(kind=Contact.Kinds.PERSON)
        twin = people.with_email([email], self.actor.organization_id).first() if email else None
        if twin is not None:
            meta = {
                "contactId": self.ids.id_of(twin),
                "matchingField": "email",
                "contactName": twin.full_name,
            }
            raise Conflict(code="email_taken", meta=meta)

    def representation(self, contact: Contact) -> Any:
        return self.serialize(
            serializers.LeadConnectorContactRead, people(self.actor.member).get(pk=contact.pk)
        )


class LeadConnectorContactSearchView(LeadConnectorContactPageView):
    """Searches for contacts."""

    # The search by a body is a read.
    edit_permission = Permission.VIEW
    queries = {"duplicate": searches.LeadConnectorDuplicateQuery}

    @extend_schema(
        request=searches.LeadConnectorContactSearchBody,
        responses=serializers.ContactsByBody,
        summary="Search by a body",
    )
    def search(self, request: Request) -> Response:
        query = self.read(searches.LeadConnectorContactSearchBody)
        page = self._page(query["sort"], query)
        rows = self._represent(page)
        for row, contact in zip(rows, page.rows, strict=True):
            row["searchAfter"] = [pages.milliseconds(contact.created_at), row["id"]]
        return Response({"contacts": rows, "total": page.total})

    @extend_schema(
        responses=serializers.MaybeContact, summary="The contact of this e-mail, else of this number"
    )
    def duplicate(self, request: Request) -> Response:
        email, number = self.query.get("email"), self.query.get("number")
        rows = people(self.actor.member).people_first()
        found = rows.with_email([email], self.actor.organization_id).first() if email else None
        if found is None and number:
            found = rows.with_phone(number, self.actor.organization).first()
        return Response(
            {"contact": self.serialize(serializers.LeadConnectorContactRead, found) if found else None}
        )


def people(member: Any) -> Any:
    return Contact.objects.visible_to(member).select_related("company", "owner")


def _company_name(contact: Contact | None) -> str:
    company = contact.company if contact else None
    return company.full_name if company and company.deleted_at is None else ""
