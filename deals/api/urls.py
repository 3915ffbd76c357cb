"""Routes of deals and lost reasons."""

from django.urls import path

from crm_project.api.routers import routes
from deals.api.views import DealViewSet, LostReasonViewSet, PipelineDealViewSet

urlpatterns = [
    *routes("deals", DealViewSet, "deal"),
    path(
        "pipelines/<int:pipeline_id>/deals",
        PipelineDealViewSet.as_view({"get": "list"}),
        name="pipeline-deals",
    ),
    *routes("lost-reasons", LostReasonViewSet, "lost-reason"),
]
