"""Opportunities, their participants and their access lists."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.dialects.kit.deal_writes import DealWritesView
from crm_project.dialects.kit.money import exact_amounts
from crm_project.dialects.onlyoffice.serializers import opportunities as serializers
from crm_project.dialects.onlyoffice.serializers.contacts import OnlyofficeContactRead
from crm_project.dialects.onlyoffice.serializers.params import OnlyofficeNoParameters
from crm_project.dialects.onlyoffice.serializers.tags import with_tags
from crm_project.dialects.onlyoffice.views.base import AT_ONCE, OnlyofficeView, described
from deals.models import Deal
from deals.services import trash_deals
from pipelines.models import Stage

AUTOCOMPLETED = 30


class OnlyofficeOpportunityBaseView(DealWritesView, OnlyofficeView):
    """The base view of the endpoints of opportunities."""

    queries = {
        "list": serializers.OnlyofficeOpportunityFilter,
        "trash_matching": serializers.OnlyofficeOpportunityFilter,
        "by_prefix": serializers.OnlyofficePrefixQuery,
    }

    def views_of(self, deals: Iterable[Deal]) -> list[serializers.DealPresentation]:
        definitions, language = self.definitions("deal").values(), self.actor.organization.language
        return [serializers.DealPresentation(deal, definitions, language) for deal in deals]

    def fetched(self, ids: Sequence[int]) -> list[serializers.DealPresentation]:
        """These deals, read again, in this order. Their visibility must be checked already."""
        rows = Deal.objects.for_reading(self.actor.member).in_bulk(ids)
        return self.views_of(rows[pk] for pk in ids)

    def representation(self, pk: int) -> Any:
        return self.serialize(serializers.OnlyofficeOpportunityRead, self.fetched([pk])[0])

    def representations(self, ids: Sequence[int]) -> Any:
        return self.serialize(serializers.OnlyofficeOpportunityRead, self.fetched(ids), many=True)

    def stage(self, pk: int) -> Stage:
        found: Stage = Stage.objects.visible_to(self.actor.member).get(pk=pk)
        return found

    def matching(self, sent: Mapping[str, Any]) -> Any:
        """The deals that match the filter."""
        rows = Deal.objects.visible_to(self.actor.member).matching(sent.get("filterValue") or "")
        rows = with_tags(rows, sent.get("tags") or ())
        if sent.get("responsibleid") is not None:
            rows = rows.filter(owner=sent["responsibleid"])
        if sent.get("opportunityStagesid") is not None:
            rows = rows.filter(stage=sent["opportunityStagesid"])
        if sent.get("stageType"):
            rows = rows.filter(status__in=serializers.STATUSES[sent["stageType"]])
        if sent.get("contactid") is not None:
            anyhow = sent.get("contactAlsoIsParticipant", False)
            rows = rows.with_contact(sent["contactid"]) if anyhow else rows.mainly_with(sent["contactid"])
        return rows.ending_between(sent.get("fromDate"), sent.get("toDate"), self.zone)

    def trashed(self, ids: Sequence[int]) -> Response:
        items = self.representations(ids)
        trash_deals(actor=self.actor, rows=[Deal(pk=pk) for pk in ids])
        return self.many(items)


class OnlyofficeOpportunityView(OnlyofficeOpportunityBaseView):
    @described(
        "Create an opportunity",
        serializers.OnlyofficeOpportunityRead,
        request=serializers.OnlyofficeOpportunityWrite,
        status=201,
        example=serializers.EXAMPLE_REQUEST,
    )
    def create(self, request: Request) -> Response:
        deal = self.create_deal(serializers.creation(self.read_opportunity()))
        return self.one(self.representation(deal.pk), self.create_status)

    @described(
        "Delete opportunities",
        serializers.OnlyofficeOpportunityRead,
        request=serializers.OnlyofficeOpportunityIds,
        many=True,
    )
    def trash_many(self, request: Request) -> Response:
        return self.trashed(self.read(serializers.OnlyofficeOpportunityIds)["deals"])

    @described("An opportunity", serializers.OnlyofficeOpportunityRead)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.one(self.representation(self.find("deal", pk).pk))

    def read_opportunity(self) -> dict[str, Any]:
        """The body, with exact amounts: a replacement without a currency has the organization's."""
        sent = self.read(serializers.OnlyofficeOpportunityWrite)
        self.ignore(serializers.without_effect(sent))
        return exact_amounts(sent, sent.get("currency") or self.actor.organization.currency)

    @described(
        "Replace an opportunity",
        serializers.OnlyofficeOpportunityRead,
        request=serializers.OnlyofficeOpportunityWrite,
    )
    def replace(self, request: Request, pk: str) -> Response:
        before = self.fetched([self.find("deal", pk).pk])[0]
        sent = self.read_opportunity()
        currency = self.actor.organization.currency
        change = serializers.replacement(before, sent, self.stage(sent["stage"]), currency)
        self.update_deal(before.deal, change)
        return self.one(self.representation(before.deal.pk))

    @described("Delete an opportunity", serializers.OnlyofficeOpportunityRead)
    def destroy(self, request: Request, pk: str) -> Response:
        deal = self.find("deal", pk)
        self.read(OnlyofficeNoParameters)
        data = self.representation(deal.pk)
        trash_deals(actor=self.actor, rows=[deal])
        return self.one(data)

    @described(
        "Move an opportunity to a stage",
        serializers.OnlyofficeOpportunityRead,
        request=serializers.OnlyofficeStageMove,
    )
    def move(self, request: Request, pk: str, stage: str) -> Response:
        deal = self.find("deal", pk)
        named = self.read(serializers.OnlyofficeStageMove).get("stage")
        goal = self.stage(named) if named else self.find("stage", stage)
        self.update_deal(deal, serializers.move(deal, goal))
        return self.one(self.representation(deal.pk))


class OnlyofficeOpportunityListView(OnlyofficeOpportunityBaseView):
    @described("Opportunities that match", serializers.OnlyofficeOpportunityRead, many=True)
    def list(self, request: Request) -> Response:
        rows = self.matching(self.query).order_by(*self.ordering(serializers.SORTS, "stage"))
        found, paging = self.page(rows.for_reading(self.actor.member))
        return self.many(
            self.serialize(serializers.OnlyofficeOpportunityRead, self.views_of(found), many=True), **paging
        )

    @described("Delete the opportunities that match", serializers.OnlyofficeOpportunityRead, many=True)
    def trash_matching(self, request: Request) -> Response:
        return self.trashed(self.read_bulk_filter(serializers.OnlyofficeOpportunityFilter, self.matching)[1])

    @described(
        "Opportunities by the beginning of their title", serializers.OnlyofficeOpportunityRead, many=True
    )
    def by_prefix(self, request: Request) -> Response:
        rows = Deal.objects.visible_to(self.actor.member).named_like(self.query.get("prefix") or "")
        if self.query.get("contactID") is not None:
            rows = rows.with_contact(self.query["contactID"])
        return self._listed(rows.order_by("name", "id")[:AUTOCOMPLETED])

    @described("Opportunities of a contact", serializers.OnlyofficeOpportunityRead, many=True)
    def by_contact(self, request: Request, contact: str) -> Response:
        rows = Deal.objects.visible_to(self.actor.member).with_contact(self.find("contact", contact).pk)
        return self._listed(rows.order_by("-created_at", "-id")[:AT_ONCE])

    def _listed(self, rows: Any) -> Response:
        found = self.views_of(rows.for_reading(self.actor.member))
        return self.many(self.serialize(serializers.OnlyofficeOpportunityRead, found, many=True))


class OnlyofficeOpportunityMemberView(OnlyofficeOpportunityBaseView):
    @described("Participants of an opportunity", OnlyofficeContactRead, many=True)
    def list(self, request: Request, pk: str) -> Response:
        deal = self.fetched([self.find("deal", pk).pk])[0]
        return self.many(self.serialize(OnlyofficeContactRead, deal.members, many=True))

    @described("Add a participant", OnlyofficeContactRead, status=201)
    def add(self, request: Request, pk: str, contact: str) -> Response:
        return self.one(self.serialize(OnlyofficeContactRead, self._linked(pk, contact, "add_members")), 201)

    @described("Remove a participant", OnlyofficeContactRead)
    def remove(self, request: Request, pk: str, contact: str) -> Response:
        return self.one(self.serialize(OnlyofficeContactRead, self._linked(pk, contact, "remove_members")))

    @described("Add a contact to an opportunity", serializers.OnlyofficeOpportunityRead, status=201)
    def add_from_contact(self, request: Request, contact: str, pk: str) -> Response:
        self._linked(pk, contact, "add_members")
        return self.one(self.representation(self.find("deal", pk).pk), 201)

    @described("Remove a contact from an opportunity", serializers.OnlyofficeOpportunityRead)
    def remove_from_contact(self, request: Request, contact: str, pk: str) -> Response:
        self._linked(pk, contact, "remove_members")
        return self.one(self.representation(self.find("deal", pk).pk))

    def _linked(self, pk: str, contact: str, how: str) -> Any:
        deal, person = self.find("deal", pk), self.find("contact", contact)
        self.read(OnlyofficeNoParameters)
        if how == "remove_members" and person.pk in (deal.contact_id, deal.client_id):
            raise ValidationError("The contact of the opportunity cannot be removed.")
        self.update_deal(deal, {how: [person.pk]})
        return person


class OnlyofficeOpportunityAccessView(OnlyofficeOpportunityBaseView):
    @described(
        "Set who may see an opportunity",
        serializers.OnlyofficeOpportunityRead,
        request=serializers.OnlyofficeAccessWrite,
    )
    def set(self, request: Request, pk: str) -> Response:
        deal = self.find("deal", pk)
        return self.one(self._set([deal.pk], self.read(serializers.OnlyofficeAccessWrite))[0])

    @described(
        "Set who may see opportunities",
        serializers.OnlyofficeOpportunityRead,
        request=serializers.OnlyofficeBulkAccessWrite,
        many=True,
    )
    def set_many(self, request: Request) -> Response:
        sent = self.read(serializers.OnlyofficeBulkAccessWrite)
        return self.many(self._set(sent["deals"], sent))

    @described(
        "Set who may see the opportunities that match",
        serializers.OnlyofficeOpportunityRead,
        request=serializers.OnlyofficeMatchingAccessWrite,
        many=True,
    )
    def set_matching(self, request: Request) -> Response:
        sent, ids = self.read_bulk_filter(serializers.OnlyofficeMatchingAccessWrite, self.matching)
        return self.many(self._set(ids, sent))

    def _set(self, ids: Sequence[int], sent: Mapping[str, Any]) -> Any:
        own = self.actor.member.pk
        changes = [(view.deal, serializers.access(view, sent, own)) for view in self.fetched(ids)]
        self.update_deals(changes)
        return self.representations(ids)
