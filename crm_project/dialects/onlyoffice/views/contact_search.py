"""Searches for contacts: by a filter, by name, by an info."""

from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.querysets import fold_email, further_matches, phone_contains
from crm_project.dialects.onlyoffice.serializers import contact_infos
from crm_project.dialects.onlyoffice.serializers import contacts as serializers
from crm_project.dialects.onlyoffice.serializers.envelope import PAGE
from crm_project.dialects.onlyoffice.views.base import described
from crm_project.dialects.onlyoffice.views.contacts import OnlyofficeContactBaseView
from deals.models import Deal, DealContact

AUTOCOMPLETED = 30


class OnlyofficeContactSearchView(OnlyofficeContactBaseView):
    queries = {
        "list": serializers.OnlyofficeContactFilter,
        "list_simply": serializers.OnlyofficeContactFilter,
        "by_email": serializers.OnlyofficeEmailQuery,
        "by_prefix": serializers.OnlyofficeContactPrefixQuery,
        "by_info": serializers.OnlyofficeInfoQuery,
        "for_mail": serializers.OnlyofficeMailQuery,
    }

    @described("Contacts that match", serializers.OnlyofficeContactRead, many=True)
    def list(self, request: Request) -> Response:
        return self._listed(serializers.OnlyofficeContactRead)

    @described("Delete the contacts that match", serializers.OnlyofficeContactNested, many=True)
    def trash_matching(self, request: Request) -> Response:
        return self.trashed(self.read_bulk_filter(serializers.OnlyofficeContactFilter, self.matching)[1])

    @described(
        "Contacts that match, each beside its next task", serializers.OnlyofficeContactItemRead, many=True
    )
    def list_simply(self, request: Request) -> Response:
        return self._listed(serializers.OnlyofficeContactItemRead)

    @described(
        "Contacts with an e-mail address, by address or name",
        serializers.OnlyofficeContactItemRead,
        many=True,
    )
    def by_email(self, request: Request) -> Response:
        rows = self.rows().matching(self.query["term"] or "").exclude(email="").order_by("full_name", "id")
        limit = self.query["maxCount"] if 0 < self.query["maxCount"] < PAGE else PAGE
        return self.many(
            self.serialize(serializers.OnlyofficeContactItemRead, list(rows.for_reading()[:limit]), many=True)
        )

    @described("Contacts by parts of their name", serializers.OnlyofficeContactWithPhoneRead, many=True)
    def by_prefix(self, request: Request) -> Response:
        rows, number = self.rows(), self.query["searchType"]
        for word in (self.query["prefix"] or "").split():
            rows = rows.matching(word)
        if number >= 0:
            rows = rows.filter(serializers.SELECTIONS[number])
        is_deal = (self.query.get("entityType") or "").lower() in serializers.OPPORTUNITY
        if is_deal and self.query.get("entityID") is not None:
            rows = rows.filter(pk__in=self._participants(self.query["entityID"]))
        return self._few(serializers.OnlyofficeContactWithPhoneRead, rows, AUTOCOMPLETED)

    @described("Contacts by an info", serializers.OnlyofficeContactRead, many=True)
    def by_info(self, request: Request) -> Response:
        sent = self.query
        found = Q(pk=None)
        for name, slot in contact_infos.SLOTS.items():
            is_asked = slot.kind == sent["infoType"] and not contact_infos.unsupported_names(name, sent)
            found |= self._reached(name, sent["data"] or "") if is_asked else Q(pk=None)
        return self._few(serializers.OnlyofficeContactRead, self.rows().filter(found), PAGE)

    @described("Contacts with their e-mail addresses", serializers.OnlyofficeContactWithEmailRead, many=True)
    def for_mail(self, request: Request) -> Response:
        return self.many(
            self.representations(
                self.query.get("contactids") or [], serializers.OnlyofficeContactWithEmailRead
            )
        )

    def _listed(self, part: Any) -> Response:
        newest = "created" if "sortBy" not in self.query else ""
        if newest and "sortOrder" not in self.query:
            self.query["sortOrder"] = "descending"
        rows = self.matching(self.query).order_by(*self.ordering(serializers.SORTS, "created"))
        found, paging = self.page(rows.for_reading())
        return self.many(self.serialize(part, found, many=True), **paging)

    def _few(self, part: Any, rows: Any, limit: int) -> Response:
        found = rows.order_by("full_name", "id").for_reading()[:limit]
        return self.many(self.serialize(part, list(found), many=True))

    def _participants(self, pk: int) -> set[int]:
        deals = Deal.objects.visible_to(self.actor.member).filter(pk=pk)
        linked = DealContact.objects.filter(deal__in=deals).values_list("contact_id", flat=True)
        return {
            *linked,
            *(key for pair in deals.values_list("contact_id", "client_id") for key in pair if key),
        }

    def _reached(self, name: str, data: str) -> Q:
        """The contacts whose info contains the text; of an address, any part; of a phone number, in any spelling."""
        if contact_infos.SLOTS[name].kind == "phone":
            own = ~Q(**{name: ""}) & phone_contains(data, [name], further=False)
            return own | phone_contains(data, []) if name == "phone" else own
        data = fold_email(data) if name == "email" else data
        columns = contact_infos.ADDRESS.values() if name == "address" else [name]
        found = further_matches("email", Q(value__icontains=data)) if name == "email" else Q(pk=None)
        for column in columns:
            found |= ~Q(**{column: ""}) & Q(**{f"{column}__icontains": data})
        return found
