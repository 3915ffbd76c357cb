"""`/api/deals` and `/api/lost-reasons`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.api.converters import row_lookup
from crm_project.api.keyed import bulk_action, external_action, upsert_action
from crm_project.api.views import RowViewSet, ScopedView, visible_rows
from crm_project.errors import NotFound
from crm_project.records.bulk import Operation
from crm_project.records.instances import fast_instance
from crm_project.records.paging import Key
from crm_project.records.writing.receipts import Receipt
from deals import rows, services
from deals.api.expansions import DEAL_EXPANSIONS
from deals.api.filters import DealFilter
from deals.api.past import AS_OF_PARAMETERS, COSTS, PARAMETER_COSTS, DealStateViewSet
from deals.api.serializers import (
    DealReceiptSerializer,
    DealSerializer,
    LostReasonSerializer,
    RestoreDealSerializer,
    SummarySerializer,
    UpsertDealSerializer,
    summary_of,
)
from deals.models import Deal, LostReason
from pipelines.models import Pipeline


@extend_schema_view(restore=extend_schema(request=RestoreDealSerializer))
class DealViewSet(RowViewSet):
    """Deals."""

    queryset = Deal.objects.none()
    serializer_class = DealSerializer
    filterset_class = DealFilter
    filtered_actions = frozenset({"list", "summary"})
    expansions = DEAL_EXPANSIONS
    # With `as_of` the request goes to DealStateViewSet; see urls.py.
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = AS_OF_PARAMETERS
    costs: ClassVar[Mapping[str, int]] = COSTS
    parameter_costs = PARAMETER_COSTS
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "amount": Key("amount", nullable=True),
        "amount_base": Key("amount_base", nullable=True),
        "expected_close_date": Key("expected_close_date", nullable=True),
        "closed_at": Key("closed_at", nullable=True),
        "name": Key("name", text=True),
        "status": Key("status"),
    }
    upsert = upsert_action(UpsertDealSerializer, DealReceiptSerializer)
    bulk = bulk_action("deal", DealSerializer, UpsertDealSerializer, {"name": "New roof"})
    external = external_action(DealSerializer)

    def for_reading(self, deals: Any) -> Any:
        return deals.for_reading(self.actor.member)

    def object_to_write(self) -> Any:
        return fast_instance(Deal, uuid=self.kwargs["uuid"])

    def read_object(self) -> Any:
        if self.request.query_params.get("deleted") == "only":
            return super().read_object()
        deal = rows.read_visible(self.kwargs["uuid"], self.actor.member)
        if deal is None:
            raise NotFound
        return deal

    def reread(self, row: Any) -> Any:
        return rows.after_write(row, self.actor.member)

    def carry_out(self, operations: Sequence[Operation], **_: Any) -> Sequence[Receipt[Any]]:
        return super().carry_out(operations, require_name=True)

    @extend_schema(responses=SummarySerializer, summary="Count and sums of the filtered deals")
    @action(detail=False)
    def summary(self, request: Request) -> Response:
        return Response(summary_of(self.filter_queryset(self.get_queryset())))

    def restore_options(self, request: Request) -> dict[str, Any]:
        body = RestoreDealSerializer(data=request.data or {})
        body.is_valid(raise_exception=True)
        return {"stage": body.validated_data.get("stage")}

    @extend_schema(request=None, responses={200: DealSerializer}, summary="Follow, or stop following")
    @action(detail=True, methods=["put", "delete"], url_path="followers/<any_uuid:user_uuid>")
    def followers(self, request: Request, user_uuid: UUID, **_: Any) -> Response:
        self.expect_no_body(request)
        if not Member.objects.visible_to(self.actor.member).filter(uuid=user_uuid).exists():
            raise NotFound
        receipt = services.follow_deal(
            actor=self.actor,
            deal=self.object_to_write(),
            member=user_uuid,
            follows=request.method == "PUT",
            if_match=self.if_match,
        )
        return Response(self.represent(receipt.row))


def of_pipeline(view: ScopedView, deals: Any) -> Any:
    """Narrow deals or their states to the pipeline of the path."""
    pipelines = Pipeline.objects.visible_to(view.actor.member)
    pipeline = pipelines.filter(**row_lookup("pk", view.kwargs["pipeline_id"])).first()
    if pipeline is None:
        raise NotFound
    return deals.filter(stage__pipeline=pipeline.pk)


class PipelineDealStateViewSet(DealStateViewSet):
    """The deals of one pipeline as they were."""

    def get_queryset(self) -> Any:
        return of_pipeline(self, super().get_queryset())


class PipelineDealViewSet(ScopedView):
    """The deals of one pipeline, with the filters of the whole list."""

    queryset = Deal.objects.none()
    serializer_class = DealSerializer
    filterset_class = DealFilter
    sparse_actions = frozenset({"list"})
    expansions = DEAL_EXPANSIONS
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = AS_OF_PARAMETERS
    parameter_costs = PARAMETER_COSTS
    orderings = DealViewSet.orderings

    def get_queryset(self) -> Any:
        return of_pipeline(self, visible_rows(self))

    def for_reading(self, deals: Any) -> Any:
        return deals.for_reading(self.actor.member)

    @extend_schema(summary="List the deals of one pipeline")
    def list(self, request: Request, **_: Any) -> Response:
        return super().list(request)


class LostReasonViewSet(RowViewSet):
    """The reasons for lost deals."""

    queryset = LostReason.objects.none()
    serializer_class = LostReasonSerializer
    edit_permission = Permission.EDIT_PIPELINES
    lookup_field = "id"
    lookup_value_converter = "id_or_uuid"
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "name": Key("name", text=True),
    }
    default_ordering = "created_at"
