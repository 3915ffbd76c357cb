"""Routes of activities."""

from crm_project.activities.api.views import ActivityViewSet
from crm_project.api.routers import routes

urlpatterns = routes("activities", ActivityViewSet, "activity")
