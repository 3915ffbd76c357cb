"""`/opportunities`: deals."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.actors import Actor
from crm_project.api.fields import UUID
from crm_project.dialects.kit.deal_writes import DealWritesView
from crm_project.dialects.kit.money import JsonNumber
from crm_project.dialects.leadconnector.serializers import opportunities as serializers
from crm_project.dialects.leadconnector.views.base import SYSTEM, LeadConnectorView
from crm_project.records import references
from crm_project.records.writing.receipts import Receipt
from deals.models import Deal, DealFollower
from deals.services import create_deals, trash_deals, upsert_deal
from pipelines.models import Stage

Change = dict[str, Any]


def opportunities(member: Any) -> Any:
    """The deals that the member may see, with all that an opportunity contains, in two queries."""
    followers = DealFollower.objects.select_related("member").order_by("id")
    return (
        Deal.objects.visible_to(member)
        .with_status_since()
        .select_related("stage__pipeline", "contact__company", "client__company", "owner", "lost_reason")
        .prefetch_related(Prefetch("follower_links", followers))
    )


class LeadConnectorOpportunityView(DealWritesView, LeadConnectorView):
    """One opportunity."""

    status_moves = "if_needed"

    queries = {"remove_followers": serializers.LeadConnectorFollowersQuery}

    @extend_schema(
        request=serializers.LeadConnectorOpportunityUpsert,
        responses={200: serializers.UpsertedOpportunity},
        summary="Update the opportunity of this id; without an id, that of this contact in this pipeline; else create",
        examples=[
            OpenApiExample("Upsert", serializers.EXAMPLE_REQUEST, request_only=True),
            OpenApiExample("Upserted", serializers.EXAMPLE_ANSWER, response_only=True, status_codes=["200"]),
        ],
    )
    def upsert(self, request: Request) -> Response:
        change = self.read(serializers.LeadConnectorOpportunityUpsert)
        sent_id = change.pop("id", None)
        deal = self.ids.resolve("deal", sent_id) if sent_id else None
        change = self._applicable(change, deal)
        if deal is not None:
            receipt = self.update_deal(deal, change)
        else:
            found = self._open_deal_of(change) if not sent_id else None
            receipt = upsert_unknown(self.actor, sent_id, self.prepared(change, found))
            self.report(receipt)
        is_new = receipt.outcome == "created"
        return Response({"opportunity": self.representation(receipt.row), "new": is_new, **self.trace})

    @extend_schema(
        request=serializers.LeadConnectorOpportunityCreate,
        responses={201: serializers.OneOpportunity},
        summary="Create",
    )
    def create(self, request: Request) -> Response:
        change = self._applicable(self.read(serializers.LeadConnectorOpportunityCreate), None)
        deal = self.create_deal(change)
        return Response({"opportunity": self.representation(deal)}, self.create_status)

    @extend_schema(responses=serializers.OneOpportunity, summary="One opportunity")
    def retrieve(self, request: Request, row_id: str) -> Response:
        return Response({"opportunity": self.representation(self.find("deal", row_id))})

    @extend_schema(
        request=serializers.LeadConnectorOpportunityUpdate,
        responses=serializers.OneOpportunity,
        summary="Change the fields in the body",
    )
    def update(self, request: Request, row_id: str) -> Response:
        deal = self.find("deal", row_id)
        self._save(deal, self.read(serializers.LeadConnectorOpportunityUpdate))
        return Response({"opportunity": self.representation(deal)})

    @extend_schema(request=None, responses=serializers.Done, summary="Move to the trash")
    def destroy(self, request: Request, row_id: str) -> Response:
        trash_deals(actor=self.actor, rows=[self.find("deal", row_id)])
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
        before = self.representation(deal)["followers"]
        self._save(deal, change)
        return before, self.representation(deal)["followers"]

    def _save(self, deal: Deal, change: Change) -> None:
        self.update_deal(deal, self._applicable(change, deal))

    def _open_deal_of(self, change: Change) -> Deal | None:
        """A deal that the change may be meant for: its currency decides which amount a double stands for."""
        if not isinstance(change.get("amount"), JsonNumber) or not change.get("contact"):
            return None
        rows = Deal.objects.visible_to(self.actor.member).filter(contact=change["contact"])
        return rows.filter(stage__pipeline=change["pipeline"]).order_by("-id").first()

    def _applicable(self, change: Change, deal: Deal | None) -> Change:
        """The change without what does not apply to this deal; an ignored lost reason is reported to the client."""
        applicable = self.without_conflict(serializers.without_redundant_contact(change, deal), deal)
        if applicable.get("lost_reason") and status_after(self.actor, change, deal) not in serializers.LOST:
            del applicable["lost_reason"]
            self.ignore([serializers.REASON])
        return applicable

    def representation(self, deal: Deal) -> Any:
        """The deal, read again from the database."""
        return self.serialize(
            serializers.LeadConnectorOpportunityRead, opportunities(self.actor.member).get(pk=deal.pk)
        )


def upsert_unknown(actor: Actor, sent_id: str | None, change: Change) -> Receipt[Deal]:
    """Create a deal under an id that no deal has, which becomes its reference. Without an id, update the deal of the
    contact and pipeline, else create one.

    The contact is no second key beside an id: it would overwrite another opportunity of the same contact.
    """
    if sent_id:
        refuse_hidden_id(actor, sent_id)
        change = {**change, "external_references": [(SYSTEM, sent_id)]}
        return upsert_deal(actor=actor, change=change, match_on=["external_reference"])
    if change.get("contact"):
        return upsert_deal(actor=actor, change=change, match_on=["contact_and_pipeline"])
    return Receipt(create_deals(actor=actor, changes=[change])[0], "created")


def refuse_hidden_id(actor: Actor, sent_id: str) -> None:
    """Raise if the id is the UUID of a deal in the trash or of one that the actor may not see: ids are unique."""
    own = Deal.objects.of(actor.organization_id)
    if UUID.fullmatch(sent_id) and own.filter(uuid=sent_id).exists():
        raise references.taken()


def status_after(actor: Actor, change: Mapping[str, Any], deal: Deal | None) -> str | None:
    """The status of the deal after the change: as sent, else as the new stage implies, else as it is."""
    if "status" in change:
        return str(change["status"])
    stage = change.get("stage")
    if stage is not None and (deal is None or stage != deal.stage_id):
        return str(Stage.objects.visible_to(actor.member).get(pk=stage).kind)
    return deal.status if deal is not None else None
