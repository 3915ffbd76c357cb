"""Notifications in the admin: the list that the bell opens, and the page of the switches."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from crm_project.accounts.rules import Permission
from crm_project.mail.services import has_mail_server
from crm_project.notifications import calendars, services
from crm_project.notifications.models import Notification
from crm_project.notifications.presenting import present
from crm_project.notifications.rules import CHANNELS
from crm_project.records.paging import Cursor, InvalidCursor, Key, page_of
from crm_project.staff.actions import next_url
from crm_project.staff.base import StaffModelAdmin
from crm_project.staff.inputs import whole_number
from crm_project.staff.pages import render_page
from crm_project.staff.request_actor import visible

PAGE_SIZE = 50
ORDERING = "-created_at"
LIST = "admin:notifications_notification_changelist"
HOURS = frozenset(str(hour) for hour in range(24))
PARAMETERS = frozenset({"unread", "cursor"})
CHANNEL_NAMES = {"bell": gettext_noop("bell"), "mail": gettext_noop("mail")}


@admin.register(Notification)
class NotificationAdmin(StaffModelAdmin):
    """The list of the member's own notifications, in place of a change list. They cannot be edited."""

    edit_permission = Permission.VIEW

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        def at(place: str, view: Any, name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            url: URLPattern = path(place, wrapped, name=f"notifications_notification_{name}")
            return url

        own = [
            at("settings/", self.settings_view, "settings"),
            at("calendar/", require_POST(self.calendar_view), "calendar"),
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
        rows: Any = visible(request, Notification)
        page = self._page_of(request, rows.unread() if only_unread else rows)
        given = {"unread": "yes"} if only_unread else {}
        newer, older = (
            urlencode({**given, "cursor": cursor.encode()}) if cursor else ""
            for cursor in (page.previous, page.next)
        )
        return render_page(
            self,
            request,
            "admin/notifications/list.html",
            title=_("Notifications"),
            # Without the breadcrumbs, whose first entry this page is.
            opts=None,
            entries=present(page.rows, actor.member),
            only_unread=only_unread,
            newer=newer,
            older=older,
            here=request.get_full_path(),
        )

    def wrong_parameters(self, request: HttpRequest) -> dict[str, str]:
        return {name: _("There is no such parameter.") for name in request.GET if name not in PARAMETERS}

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
            services.change_settings(actor=actor, change=_given(request))
            messages.success(request, _("Your settings are saved."))
            return HttpResponseRedirect(reverse("admin:notifications_notification_settings"))
        settings = services.settings_of(actor)
        return render_page(
            self,
            request,
            "admin/notifications/settings.html",
            title=_("Settings of notifications"),
            kinds=list(_rows_of(settings)),
            digest=settings["digest"],
            hours=[(hour, f"{hour}:00", hour == settings["digest_hour"]) for hour in range(24)],
            time_zone=actor.member.zone.key,
            calendar=calendars.address_of(actor),
            has_mail_server=has_mail_server(),
        )

    def calendar_view(self, request: HttpRequest) -> HttpResponse:
        """Renew the address of the calendar, which is displayed once, or end it."""
        actor = self.actor(request)
        if "end" in request.POST:
            calendars.end_address(actor=actor)
            messages.success(request, _("The address of your calendar has ended."))
            return HttpResponseRedirect(reverse("admin:notifications_notification_settings"))
        return render_page(
            self,
            request,
            "admin/notifications/calendar.html",
            title=_("Address of your calendar"),
            address=calendars.renew_address(actor=actor),
        )


def _given(request: HttpRequest) -> dict[str, Any]:
    """The posted form; an hour that is none leaves the present one."""
    change: dict[str, Any] = {
        kind: {channel: f"{kind}.{channel}" in request.POST for channel in CHANNELS}
        for kind in Notification.Kinds.values
    }
    change["digest"] = "digest" in request.POST
    text = request.POST.get("digest_hour", "")
    return change | ({"digest_hour": int(text)} if text in HOURS else {})


def _rows_of(settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for kind, label in Notification.Kinds.choices:
        boxes = [
            {
                "name": f"{kind}.{channel}",
                "channel": _(CHANNEL_NAMES[channel]),
                "is_on": settings[kind][channel],
            }
            for channel in CHANNELS
        ]
        yield {"label": label, "boxes": boxes}
