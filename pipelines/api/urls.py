"""Routes of pipelines and stages."""

from crm_project.api.routers import routes
from pipelines.api.views import PipelineViewSet, StageViewSet

urlpatterns = [*routes("pipelines", PipelineViewSet, "pipeline"), *routes("stages", StageViewSet, "stage")]
