"""`/api/saved-views`."""

from typing import Any

from crm_project.api.filters import BooleanFilter, ChoicesFilter, StrictFilterSet
from crm_project.api.views import RowViewSet
from crm_project.records.paging import Key
from crm_project.saved_views.api.serializers import SavedViewSerializer
from crm_project.saved_views.models import SavedView


class SavedViewFilter(StrictFilterSet):
    list = ChoicesFilter(choices=SavedView.Lists.values)
    is_shared = BooleanFilter("is_shared")


class SavedViewViewSet(RowViewSet):
    """Saved views of lists: one's own, and those that others share."""

    queryset = SavedView.objects.none()
    serializer_class = SavedViewSerializer
    filterset_class = SavedViewFilter
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "name": Key("name", text=True),
    }
    sparse_actions = frozenset()

    def for_reading(self, rows: Any) -> Any:
        return rows.select_related("owner__user")
