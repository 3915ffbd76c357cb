"""`/api/activities`."""

from typing import Any

from crm_project.activities.api.filters import ActivityFilter
from crm_project.activities.api.serializers import (
    EXAMPLE,
    ActivityReceiptSerializer,
    ActivitySerializer,
    UpsertActivitySerializer,
)
from crm_project.activities.models import Activity
from crm_project.api.keyed import bulk_action, external_action, upsert_action
from crm_project.api.views import RowViewSet
from crm_project.records.paging import Key

# In the example of a list of writes.
NEW = {"subject": "Call back", "deal_uuid": EXAMPLE["deal_uuid"]}


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
    upsert = upsert_action(UpsertActivitySerializer, ActivityReceiptSerializer)
    bulk = bulk_action("activity", ActivitySerializer, UpsertActivitySerializer, NEW)
    external = external_action(ActivitySerializer)

    def for_reading(self, rows: Any) -> Any:
        return rows.for_reading()
