"""`/api/notifications`: one's own, and the settings."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.api.filters import BooleanFilter, ChoicesFilter, StrictFilterSet
from crm_project.api.views import ScopedView
from crm_project.notifications import services
from crm_project.notifications.api.serializers import (
    MarkedSerializer,
    NotificationSerializer,
    SettingsSerializer,
)
from crm_project.notifications.models import Notification
from crm_project.notifications.presenting import present
from crm_project.records.paging import Key


class UnreadFilter(BooleanFilter):
    def filter(self, queryset: Any, value: bool | None) -> Any:
        return queryset if value is None else queryset.filter(read_at__isnull=value)


class NotificationFilter(StrictFilterSet):
    unread = UnreadFilter()
    kind = ChoicesFilter(choices=Notification.Kinds.values)


class NotificationViewSet(ScopedView):
    """The notifications of the token's member, without those of rows that the member may no longer see."""

    http_method_names = ["get", "post", "head", "options"]
    queryset = Notification.objects.none()
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    edit_permission = Permission.VIEW
    orderings = {"created_at": Key("created_at")}

    def get_queryset(self) -> Any:
        return Notification.objects.visible_to(self.actor.member)

    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(
            NotificationSerializer(present(page, self.actor.member), many=True).data
        )

    def represent_read(self, row: Any) -> Any:
        """It has no version."""
        return NotificationSerializer(present([row], self.actor.member)[0]).data

    @extend_schema(request=None, responses=NotificationSerializer, summary="Mark as read")
    def read(self, request: Request, **_: Any) -> Response:
        """Idempotent: the first time stays."""
        self.expect_no_body(request)
        row = self.get_object()
        services.mark_as_read(actor=self.actor, notification=row)
        return Response(self.represent(row))

    @extend_schema(
        operation_id="notifications_read_all",
        request=None,
        responses=MarkedSerializer,
        summary="Mark all as read",
    )
    def read_all(self, request: Request) -> Response:
        """All that `unread=true` lists."""
        self.expect_no_body(request)
        return Response({"read": services.mark_all_as_read(actor=self.actor)})


class SettingsView(ScopedView):
    """What the token's member is notified of, in the bell of the admin and in this list, and by mail."""

    http_method_names = ["get", "patch", "head", "options"]
    serializer_class = SettingsSerializer
    edit_permission = Permission.VIEW
    conditional_actions = frozenset()

    @extend_schema(responses=SettingsSerializer, summary="Show the settings")
    def retrieve(self, request: Request, **_: Any) -> Response:
        return Response(SettingsSerializer(services.settings_of(self.actor)).data)

    @extend_schema(responses=SettingsSerializer, summary="Change the settings")
    def partial_update(self, request: Request, **_: Any) -> Response:
        """What is not named stays."""
        body = SettingsSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        changed = services.change_settings(actor=self.actor, change=body.validated_data)
        return Response(SettingsSerializer(changed).data)
