"""`/opportunities`: deals."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.fields import UUID
from crm_project.dialects.leadconnector.serializers import opportunities as serializers
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.records import references
from crm_project.records.writing.receipts import Receipt
from deals.models import Deal, DealFollower
from deals.services import create_deals, trash_deals, update_deals, upsert_deal
from pipelines.models import Stage

Change = dict[str, Any]


def opportunities(member: Any) -> Any:
    """The deals that the member sees, with all that an opportunity shows, in two queries."""
    followers = DealFollower.objects.select_related("member").order_by("id")
    return (
        Deal.objects.visible_to(member)
        .with_status_since()
        .select_related("stage__pipeline", "contact__company", "client__company", "owner", "lost_reason")
        .prefetch_related(Prefetch("follower_links", followers))
    )


class LeadConnectorOpportunityView(LeadConnectorView):
    """Opportunities, one at a time."""

    queries = {"remove_followers": serializers.LeadConnectorFollowersQuery}

    @extend_schema(
        request=serializers.LeadConnectorOpportunityUpsert,
        responses={200: serializers.UpsertedOpportunity},
        summary="Update the opportunity of this id, else of this contact in this pipeline, else create it",
        examples=[
            OpenApiExample("Upsert", serializers.EXAMPLE_REQUEST, request_only=True),
            OpenApiExample("Upserted", serializers.EXAMPLE_ANSWER, response_only=True, status_codes=["200"]),
        ],
    )
    def upsert(self, request: Request) -> Response:
        change = self.read(serializers.LeadConnectorOpportunityUpsert)
        receipt = self._upsert(change.pop("id", None), change)
        is_new = receipt.outcome == "created"
        return Response({"opportunity": self.shown(receipt.row), "new": is_new, **self.trace})

    def _upsert(self, sent_id: str | None, change: Change) -> Receipt[Deal]:
        """An id that is nobody's is kept: the client will ask for its opportunity under it."""
        deal = self.ids.resolve("deal", sent_id) if sent_id else None
        change = self._settled(change, deal)
        if deal is not None:
            return update_deals(actor=self.actor, changes=[(deal, change)])[0]
        keys = ["contact_and_pipeline"] if change.get("contact") else []
        if sent_id:
            self._refuse_hidden(sent_id)
            change["external_references"] = [(self.system, sent_id)]
            keys.insert(0, "external_reference")
        if not keys:
            return Receipt(create_deals(actor=self.actor, changes=[change])[0], "created")
        return upsert_deal(actor=self.actor, change=change, match_on=keys)

    def _refuse_hidden(self, sent_id: str) -> None:
        """An id means one row: that of a deal in the trash, or of one that the actor may not see, names no other."""
        own = Deal.objects.of(self.actor.organization_id)
        if UUID.fullmatch(sent_id) and own.filter(uuid=sent_id).exists():
            raise references.taken()

    @extend_schema(
        request=serializers.LeadConnectorOpportunityCreate,
        responses={201: serializers.OneOpportunity},
        summary="Create",
    )
    def create(self, request: Request) -> Response:
        change = self._settled(self.read(serializers.LeadConnectorOpportunityCreate), None)
        deal = create_deals(actor=self.actor, changes=[change])[0]
        return Response({"opportunity": self.shown(deal)}, self.create_status)

    @extend_schema(responses=serializers.OneOpportunity, summary="One opportunity")
    def retrieve(self, request: Request, row_id: str) -> Response:
        return Response({"opportunity": self.shown(self.find("deal", row_id))})

    @extend_schema(
        request=serializers.LeadConnectorOpportunityUpdate,
        responses=serializers.OneOpportunity,
        summary="Change what is named",
    )
    def update(self, request: Request, row_id: str) -> Response:
        deal = self.find("deal", row_id)
        self._save(deal, self.read(serializers.LeadConnectorOpportunityUpdate))
        return Response({"opportunity": self.shown(deal)})

    @extend_schema(request=None, responses=serializers.Done, summary="Move to the trash")
    def destroy(self, request: Request, row_id: str) -> Response:
        trash_deals(actor=self.actor, deals=[self.find("deal", row_id)])
        return Response(self.done)

    @extend_schema(
        request=serializers.LeadConnectorOpportunityStatusUpdate,
        responses=serializers.Done,
        summary="Set the status",
    )
    def status(self, request: Request, row_id: str) -> Response:
        self._save(self.find("deal", row_id), self.read(serializers.LeadConnectorOpportunityStatusUpdate))
        return Response(self.done)

    @extend_schema(
        request=serializers.LeadConnectorFollowersWrite,
        responses={201: serializers.AddedFollowers},
        summary="Add followers",
    )
    def add_followers(self, request: Request, row_id: str) -> Response:
        deal, sent = (
            self.find("deal", row_id),
            self.read(serializers.LeadConnectorFollowersWrite)["followers"],
        )
        before, after = self._follow(deal, {"add_followers": sent})
        added = [follower for follower in after if follower not in before]
        return Response({"followers": after, "followersAdded": added}, self.create_status)

    @extend_schema(
        request=serializers.LeadConnectorFollowersRemoval,
        responses=serializers.RemovedFollowers,
        summary="Remove followers",
    )
    def remove_followers(self, request: Request, row_id: str) -> Response:
        deal, body = self.find("deal", row_id), self.read(serializers.LeadConnectorFollowersRemoval)
        everybody = self.query["isRemoveAllFollowers"]
        change = {"followers": []} if everybody else {"remove_followers": body.get("followers", [])}
        before, after = self._follow(deal, change)
        removed = [follower for follower in before if follower not in after]
        return Response({"followers": after, "followersRemoved": removed})

    def _follow(self, deal: Deal, change: Change) -> tuple[list[str], list[str]]:
        """The followers before and after the change."""
        before = self.shown(deal)["followers"]
        self._save(deal, change)
        return before, self.shown(deal)["followers"]

    def _save(self, deal: Deal, change: Change) -> None:
        update_deals(actor=self.actor, changes=[(deal, self._settled(change, deal))])

    def _settled(self, change: Mapping[str, Any], deal: Deal | None) -> Change:
        """Without what says nothing about this deal: a reason while it is not lost, a contact that is shown anyway."""
        settled = dict(change)
        if settled.get("lost_reason") and self._status_after(settled, deal) not in serializers.LOST:
            del settled["lost_reason"]
            self.ignore([serializers.REASON])
        if deal is not None and deal.contact_id is None and settled.get("contact") == deal.client_id:
            settled.pop("contact", None)
        return settled

    def _status_after(self, change: Change, deal: Deal | None) -> str | None:
        if "status" in change:
            return str(change["status"])
        stage = change.get("stage")
        if stage is not None and (deal is None or stage != deal.stage_id):
            return str(Stage.objects.visible_to(self.actor.member).get(pk=stage).kind)
        return deal.status if deal is not None else None

    def shown(self, deal: Deal) -> Any:
        """The deal as the database has it now."""
        return self.show(
            serializers.LeadConnectorOpportunityRead, opportunities(self.actor.member).get(pk=deal.pk)
        )
