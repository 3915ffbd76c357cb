"""Routes of the feed, of undo, and of the histories of rows."""

from django.urls import path

from crm_project.journal.api.views import EventViewSet, HistoryView


def _history(route: str, kind: str, name: str) -> object:
    view = HistoryView.as_view({"get": "list"}, kind=kind)
    return path(f"{route}/history", view, name=f"{name}-history")


urlpatterns = [
    path("events", EventViewSet.as_view({"get": "feed"}), name="events"),
    path("events/<int:sequence>/undo", EventViewSet.as_view({"post": "undo"}), name="event-undo"),
    _history("deals/<any_uuid:uuid>", "deal", "deal"),
    _history("contacts/<any_uuid:uuid>", "contact", "contact"),
    _history("pipelines/<id_or_uuid:id>", "pipeline", "pipeline"),
]
