"""Routes of deals and lost reasons."""

from django.urls import URLPattern, path

from crm_project.api.routers import routes
from deals.api.board import BoardViewSet
from deals.api.metrics import MetricsView, PastMetricsView, PipelineFiguresView
from deals.api.past import DealChangesView, DealStateViewSet, now_or_as_of
from deals.api.views import DealViewSet, LostReasonViewSet, PipelineDealStateViewSet, PipelineDealViewSet

STATE_VIEWS = {
    "deal-list": DealStateViewSet.as_view({"get": "list"}),
    "deal-summary": DealStateViewSet.as_view({"get": "summary"}),
}


def _with_past(route: URLPattern) -> URLPattern:
    if route.name in STATE_VIEWS:
        route.callback = now_or_as_of(route.callback, STATE_VIEWS[route.name])
    return route


urlpatterns = [
    path(
        "deals/metrics",
        now_or_as_of(MetricsView.as_view({"get": "metrics"}), PastMetricsView.as_view({"get": "metrics"})),
        name="deal-metrics",
    ),
    path(
        "pipelines/<id_or_uuid:pipeline_id>/forecast",
        PipelineFiguresView.as_view({"get": "forecast"}),
        name="pipeline-forecast",
    ),
    path(
        "pipelines/<id_or_uuid:pipeline_id>/funnel",
        PipelineFiguresView.as_view({"get": "funnel"}),
        name="pipeline-funnel",
    ),
    path("deals/changes", DealChangesView.as_view({"get": "changes"}), name="deal-changes"),
    *map(_with_past, routes("deals", DealViewSet, "deal")),
    path(
        "pipelines/<id_or_uuid:pipeline_id>/deals",
        now_or_as_of(
            PipelineDealViewSet.as_view({"get": "list"}), PipelineDealStateViewSet.as_view({"get": "list"})
        ),
        name="pipeline-deals",
    ),
    path(
        "pipelines/<id_or_uuid:pipeline_id>/board",
        BoardViewSet.as_view({"get": "board"}),
        name="pipeline-board",
    ),
    path(
        "pipelines/<id_or_uuid:pipeline_id>/board/<id_or_uuid:stage_id>",
        BoardViewSet.as_view({"get": "list"}),
        name="pipeline-board-column",
    ),
    *routes("lost-reasons", LostReasonViewSet, "lost-reason"),
]
