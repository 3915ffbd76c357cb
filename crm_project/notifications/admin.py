"""Notifications in the admin: the list that the bell opens, and the page of the switches."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from crm_project.accounts.rules import Permission
from crm_project.mail.services import has_mail_server
from crm_project.notifications import services
from crm_project.notifications.models import Notification
from crm_project.notifications.presenting import present
from crm_project.notifications.rules import CHANNELS
from crm_project.records.paging import Cursor, InvalidCursor, Key, page_of
from crm_project.staff.actions import next_url
from crm_project.staff.base import StaffModelAdmin
from crm_project.staff.inputs import whole_number
from crm_project.staff.request_actor import visible

PAGE_SIZE = 50
ORDERING = "-created_at"
LIST = "admin:notifications_notification_changelist"
PARAMETERS = frozenset({"unread", "cursor"})


@admin.register(Notification)
class NotificationAdmin(StaffModelAdmin):
    """A page of one's own instead of a change list: nobody edits notifications."""

    edit_permission = Permission.VIEW

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        def at(place: str, view: Any, name: str) -> URLPattern:
            return path(place, self.admin_site.admin_view(view), name=f"notifications_notification_{name}")

        own = [
            at("settings/", self.settings_view, "settings"),
            at("read/", require_POST(self.read_all_view), "read_all"),
            at("<int:pk>/read/", require_POST(self.read_view), "read"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        actor = self.actor(request)
        wrong = self.wrong_parameters(request)
        if wrong:
            return self._wrong_address(request, wrong)
        only_unread = request.GET.get("unread") == "yes"
        rows = visible(request, Notification)
        page = self._page_of(request, rows.filter(read_at=None) if only_unread else rows)
        given = {"unread": "yes"} if only_unread else {}
        newer, older = (
            urlencode({**given, "cursor": cursor.encode()}) if cursor else ""
            for cursor in (page.previous, page.next)
        )
        return self._page(
            request,
            "admin/notifications/list.html",
            title="Notifications",
            entries=present(page.rows, actor.member),
            only_unread=only_unread,
            newer=newer,
            older=older,
            here=request.get_full_path(),
        )

    def wrong_parameters(self, request: HttpRequest) -> dict[str, str]:
        return {name: "There is no such parameter." for name in request.GET if name not in PARAMETERS}

    def _page_of(self, request: HttpRequest, rows: Any) -> Any:
        """The page of the cursor; the first one if it is none."""
        get = partial(page_of, rows, Key("created_at"), ORDERING, size=PAGE_SIZE)
        try:
            text = request.GET.get("cursor")
            return get(cursor=Cursor.decode(text, ORDERING) if text else None)
        except InvalidCursor:
            return get(cursor=None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of its row."""
        if request.method != "GET":
            raise PermissionDenied
        actor = self.actor(request)
        found = present(visible(request, Notification).filter(pk=whole_number(object_id)), actor.member)
        if not found:
            raise Http404
        return HttpResponseRedirect(found[0].url)

    def read_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = visible(request, Notification).filter(pk=pk).first()
        if row is None:
            raise Http404
        services.mark_as_read(actor=self.actor(request), notification=row)
        return HttpResponseRedirect(next_url(request, LIST))

    def read_all_view(self, request: HttpRequest) -> HttpResponse:
        services.mark_all_as_read(actor=self.actor(request))
        return HttpResponseRedirect(reverse(LIST))

    def settings_view(self, request: HttpRequest) -> HttpResponse:
        actor = self.actor(request)
        if request.method == "POST":
            given = {
                kind: {channel: f"{kind}.{channel}" in request.POST for channel in CHANNELS}
                for kind in Notification.Kinds.values
            }
            services.change_switches(actor=actor, change=given)
            messages.success(request, "Your settings are saved.")
            return HttpResponseRedirect(reverse("admin:notifications_notification_settings"))
        switches = services.switches_of(actor)
        kinds = [
            {
                "label": label,
                "boxes": [
                    {"name": f"{kind}.{channel}", "channel": channel, "is_on": switches[kind][channel]}
                    for channel in CHANNELS
                ],
            }
            for kind, label in Notification.Kinds.choices
        ]
        return self._page(
            request,
            "admin/notifications/settings.html",
            title="Settings of notifications",
            kinds=kinds,
            has_mail_server=has_mail_server(),
        )

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        everywhere = self.admin_site.each_context(request)
        return TemplateResponse(
            request, template, {**everywhere, "opts": self.opts, "media": self.media, **context}
        )
