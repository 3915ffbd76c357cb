"""Tasks and the history: activities that are planned, and those that were written down afterwards."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Value
from django.db.models.functions import Coalesce
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.activities.models import Activity
from crm_project.activities.services import create_activities, trash_activities, update_activities
from crm_project.dialects.kit.activities import are_logged, completion, is_logged
from crm_project.dialects.onlyoffice.serializers import activities as serializers
from crm_project.dialects.onlyoffice.serializers.params import OnlyofficeNoParameters
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described

# Tasks without a deadline come last.
NEVER = datetime.datetime.max.replace(tzinfo=datetime.UTC, microsecond=0)


class OnlyofficeActivityView(OnlyofficeView):
    """The base view of tasks and of the history."""

    part: Any

    def rows(self) -> Any:
        rows = Activity.objects.visible_to(self.actor.member)
        return rows.select_related("owner__user", "contact", "deal__contact", "deal__client")

    def representation(self, pk: int) -> Any:
        """The activity, read again from the database."""
        return self.serialize(self.part, self.rows().get(pk=pk))

    def narrowed(self, rows: Any) -> Any:
        """The rows of the filters that tasks and the history share."""
        query = self.query
        rows = rows.matching(query.get("filterValue") or "")
        if query.get("type"):
            rows = rows.filter(type=query["type"])
        kind = query.get("entity_type")
        if kind and query.get("entity_id") is not None:
            rows = rows.filter(**{kind: self.entity(kind, query["entity_id"])})
        return rows

    def entity(self, kind: str, key: str) -> int:
        """The id of the row to filter by; an unknown one finds nothing."""
        return self.ids.filter_key(kind, key)

    def paged(self, rows: Any, sorts: Mapping[str, Any], default: str) -> Response:
        found, paging = self.page(rows.order_by(*self.ordering(sorts, default)))
        return self.many(self.serialize(self.part, found, many=True), **paging)

    def trashed(self, activity: Activity) -> Response:
        self.read(OnlyofficeNoParameters)
        data = self.representation(activity.pk)
        trash_activities(actor=self.actor, rows=[activity])
        return self.one(data)


class OnlyofficeTaskView(OnlyofficeActivityView):
    part = serializers.OnlyofficeTaskRead
    queries = {"list": serializers.OnlyofficeTaskFilter}

    @described("Tasks that match", serializers.OnlyofficeTaskRead, many=True)
    def list(self, request: Request) -> Response:
        query = self.query
        rows = self.narrowed(self.rows().exclude(are_logged()))
        if query.get("responsibleid") is not None:
            rows = rows.filter(owner=query["responsibleid"])
        if query.get("isClosed") is not None:
            rows = rows.filter(done_at__isnull=not query["isClosed"])
        if query.get("fromDate"):
            rows = rows.filter(deadline__gte=query["fromDate"])
        if query.get("toDate"):
            rows = rows.filter(deadline__lte=query["toDate"])
        rows = rows.alias(due=Coalesce("deadline", Value(NEVER)))
        return self.paged(rows, serializers.SORTS, "deadline")

    @described(
        "Create a task",
        serializers.OnlyofficeTaskRead,
        request=serializers.OnlyofficeTaskWrite,
        status=201,
    )
    def create(self, request: Request) -> Response:
        change = serializers.task_change(self.read(serializers.OnlyofficeTaskWrite), None, self.zone)
        activity = create_activities(actor=self.actor, changes=[change])[0]
        return self.one(self.representation(activity.pk), self.create_status)

    @described("A task", serializers.OnlyofficeTaskRead)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.one(self.representation(self._task(pk).pk))

    @described("Replace a task", serializers.OnlyofficeTaskRead, request=serializers.OnlyofficeTaskWrite)
    def replace(self, request: Request, pk: str) -> Response:
        activity, sent = self._task(pk), self.read(serializers.OnlyofficeTaskWrite)
        return self._saved(activity, serializers.task_change(sent, activity, self.zone))

    @described("Close a task", serializers.OnlyofficeTaskRead)
    def close(self, request: Request, pk: str) -> Response:
        return self._completed(pk, is_done=True)

    @described("Open a task again", serializers.OnlyofficeTaskRead)
    def reopen(self, request: Request, pk: str) -> Response:
        return self._completed(pk, is_done=False)

    @described("Delete a task", serializers.OnlyofficeTaskRead)
    def destroy(self, request: Request, pk: str) -> Response:
        return self.trashed(self._task(pk))

    def _completed(self, pk: str, *, is_done: bool) -> Response:
        activity = self._task(pk)
        self.read(OnlyofficeNoParameters)
        return self._saved(activity, completion(is_done, activity))

    def _saved(self, activity: Activity, change: Mapping[str, Any]) -> Response:
        update_activities(actor=self.actor, changes=[(activity, change)])
        return self.one(self.representation(activity.pk))

    def _task(self, pk: str) -> Activity:
        """Any activity but a note: a call without a deadline leaves the list when it is closed, and is still found."""
        activity: Activity = self.find("activity", pk)
        if activity.type == Activity.Types.NOTE:
            raise NotFound
        return activity


class OnlyofficeHistoryView(OnlyofficeActivityView):
    part = serializers.OnlyofficeEventRead
    queries = {"list": serializers.OnlyofficeEventFilter}

    @described("Events that match, the newest first", serializers.OnlyofficeEventRead, many=True)
    def list(self, request: Request) -> Response:
        query = self.query
        rows = self.narrowed(self.rows().filter(are_logged()))
        if query.get("createBy") is not None:
            rows = rows.filter(owner=query["createBy"])
        if query.get("fromDate"):
            rows = rows.filter(done_at__gte=query["fromDate"])
        if query.get("toDate"):
            rows = rows.filter(done_at__lte=query["toDate"])
        if "sortBy" not in query and "sortOrder" not in query:
            query["sortOrder"] = "descending"
        return self.paged(rows, serializers.EVENT_SORTS, "created")

    @described(
        "Create an event",
        serializers.OnlyofficeEventRead,
        request=serializers.OnlyofficeEventWrite,
        status=201,
    )
    def create(self, request: Request) -> Response:
        sent = self.read(serializers.OnlyofficeEventWrite)
        change = {**sent, "owner": self.actor.member.pk, "done": True}
        activity = create_activities(actor=self.actor, changes=[change])[0]
        return self.one(self.representation(activity.pk), self.create_status)

    @described("Delete an event", serializers.OnlyofficeEventRead)
    def destroy(self, request: Request, pk: str) -> Response:
        activity: Activity = self.find("activity", pk)
        if not is_logged(activity):
            raise NotFound
        return self.trashed(activity)

    def entity(self, kind: str, key: str) -> int:
        """The vendor's server answers 404 here."""
        row = self.find(kind, key)
        return int(row.pk)


class OnlyofficeCategoryView(OnlyofficeView):
    """The categories of tasks or of the history, which are the types of activities."""

    categories: Sequence[serializers.Category] = serializers.TASKS

    @described("Categories", serializers.OnlyofficeCategoryRead, many=True)
    def list(self, request: Request) -> Response:
        return self.many([serializers.OnlyofficeCategoryRead(one).data for one in self.categories])

    @described("A category", serializers.OnlyofficeCategoryRead)
    def retrieve(self, request: Request, pk: str) -> Response:
        found = next((one for one in self.categories if str(one.id) == pk), None)
        if found is None:
            raise NotFound
        return self.one(serializers.OnlyofficeCategoryRead(found).data)

    @described("Refused", serializers.OnlyofficeCategoryRead)
    def refuse(self, request: Request, **_: str) -> Response:
        raise ValidationError("The categories are fixed: they are the types of activities.")
