"""Routes of activities, and of the timelines of deals and contacts."""

from django.urls import path

from crm_project.activities.api.timeline import TimelineView
from crm_project.activities.api.views import ActivityViewSet
from crm_project.api.routers import routes


def _timeline(route: str, kind: str) -> object:
    view = TimelineView.as_view({"get": "timeline"}, kind=kind)
    return path(f"{route}/<any_uuid:uuid>/timeline", view, name=f"{kind}-timeline")


urlpatterns = [
    _timeline("deals", "deal"),
    _timeline("contacts", "contact"),
    *routes("activities", ActivityViewSet, "activity"),
]
