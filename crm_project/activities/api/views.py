"""`/api/activities`."""

from typing import Any

from crm_project.activities.api.filters import ActivityFilter
from crm_project.activities.api.serializers import EXAMPLE, ActivitySerializer
from crm_project.activities.models import Activity
from crm_project.api.keyed import keyed_actions
from crm_project.api.views import RowViewSet
from crm_project.records.paging import Key


class ActivityViewSet(RowViewSet):
    """Calls, meetings, e-mails, tasks and notes, planned and done."""

    queryset = Activity.objects.none()
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "due": Key("deadline", nullable=True),
        "done_at": Key("done_at", nullable=True),
    }
    upsert, bulk, external = keyed_actions("activity", ActivitySerializer, EXAMPLE)

    def for_reading(self, rows: Any) -> Any:
        return rows.for_reading()
