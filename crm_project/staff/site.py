"""The admin site: sign-in, the home page, the search, and the choice of the organization."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.sites import UnfoldAdminSite

from crm_project.accounts.models import Member, User
from crm_project.accounts.sessions import SESSION_KEY
from crm_project.staff import command_palette, first_steps, inputs, password_reset
from crm_project.staff.bell import bell
from crm_project.staff.invitation import accept_view
from crm_project.staff.manifest import manifest_view
from crm_project.staff.preferences import preferences_view
from crm_project.staff.request_actor import actor_of, is_operator
from crm_project.staff.sign_in import (
    SESSION_LASTS,
    OwnPasswordForm,
    SignInForm,
    is_first_sign_in,
    throttled_page,
)
from crm_project.staff.theme import color_variables
from crm_project.staff.undoing import undo_view


class Autocomplete(AutocompleteJsonView):
    """Adds the description of the command palette to each entry, to distinguish rows of the same name."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        entry = super().serialize_result(obj, to_field_name)
        describe = getattr(self.model_admin, "palette_description", None)
        return {**entry, "text": f"{entry['text']} · {describe(obj)}"} if describe else entry


class StaffSite(UnfoldAdminSite):  # type: ignore[misc]
    login_form = SignInForm
    index_title = gettext_lazy("Home")
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.login_form = SignInForm
        # Rows are moved to the trash by services, never deleted by the admin.
        self.disable_action("delete_selected")

    def get_urls(self) -> list[URLPattern]:
        own: list[URLPattern] = [
            path("organization/", self.admin_view(self.choose_organization), name="choose_organization"),
            path("preferences/", self.admin_view(self.preferences), name="preferences"),
            path("invitation/", self.accept_invitation, name="accept_invitation"),
            path("password_reset/", self.password_reset, name="password_reset"),
            path("password_reset/sent/", self.password_reset_sent, name="password_reset_sent"),
            path("password_reset/done/", self.password_reset_done, name="password_reset_done"),
            path(
                "password_reset/<uidb64>/<token>/",
                self.password_reset_confirm,
                name="password_reset_confirm",
            ),
            path("manifest.webmanifest", self.manifest, name="manifest"),
            path("undo/<int:sequence>/", self.admin_view(self.undo), name="undo"),
        ]
        return [*own, *first_steps.hooks.urls(self), *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Made when it is used: it is in the context of every page, and the sidebar is another list."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        return {**context, "color_variables": color_variables(context["colors"]), **bell(request)}

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A session ends twelve hours after the sign-in, even if it is in use."""
        context = {"nobody_can_sign_in": not User.objects.exists(), **(extra_context or {})}
        response: HttpResponse = super().login(request, context)
        if request.method == "POST" and request.user.is_authenticated:
            request.session.set_expiry(timezone.now() + SESSION_LASTS)
            if is_first_sign_in(request) and response.get("Location") == reverse("admin:index"):
                # Discard the cached actor of the anonymous request.
                vars(request).pop("staff_actor", None)
                response["Location"] = first_steps.hooks.first_page(request) or reverse("admin:index")
        return throttled_page(response)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Like the theme's, with a throttle for the old password."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=type("OwnPasswordForm", (OwnPasswordForm,), {"request": request}),
            success_url=reverse("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return throttled_page(view(request))

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        actor = actor_of(request)
        home: dict[str, Any] = {"actor": actor, "is_operator": is_operator(request)}
        for page in self._registry.values() if actor else ():
            home |= page.home_context(request)
        if actor:
            home["guide"] = first_steps.hooks.on_home(request, not home.get("first_steps"))
        context = {
            **self.each_context(request),
            "title": self.index_title,
            "home": home,
            **(extra_context or {}),
        }
        request.current_app = self.name
        return TemplateResponse(request, "admin/index.html", context)

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The command palette. Not cached, since the member's permissions or organization may have changed."""
        return command_palette.search(self, request)

    def undo(self, request: HttpRequest, sequence: int) -> HttpResponse:
        return undo_view(self, request, sequence)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return Autocomplete.as_view(admin_site=self)(request)

    def manifest(self, request: HttpRequest) -> HttpResponse:
        """Public, since browsers ask for it without a session."""
        return manifest_view(request)

    def accept_invitation(self, request: HttpRequest) -> HttpResponse:
        """Needs no login: the link of the invitation is enough."""
        return accept_view(request, self)

    def password_reset(self, request: HttpRequest) -> HttpResponse:
        return password_reset.request_view(request, self)

    def password_reset_sent(self, request: HttpRequest) -> HttpResponse:
        return password_reset.sent_view(request, self)

    def password_reset_done(self, request: HttpRequest) -> HttpResponse:
        return password_reset.done_view(request, self)

    def password_reset_confirm(self, request: HttpRequest, uidb64: str, token: str) -> HttpResponseBase:
        view = password_reset.ConfirmView.as_view(extra_context=self.each_context(request))
        return view(request, uidb64=uidb64, token=token)

    def preferences(self, request: HttpRequest) -> HttpResponse:
        return preferences_view(request, self)

    def choose_organization(self, request: HttpRequest) -> HttpResponse:
        """Switch to another organization; a POST, since it changes the session."""
        user: Any = request.user
        memberships = Member.objects.active().filter(user=user).select_related("organization")
        if request.method == "POST":
            chosen = memberships.filter(pk=inputs.whole_number(request.POST.get("member", ""))).first()
            if chosen is not None:
                request.session[SESSION_KEY] = chosen.pk
                text = _("You are now working in %(organization)s.")
                messages.success(request, text % {"organization": chosen.organization.name})
            return HttpResponseRedirect(reverse("admin:index"))
        context = {
            **self.each_context(request),
            "title": _("Choose an organization"),
            "memberships": memberships.order_by("organization__name", "id"),
            "chosen": actor_of(request),
        }
        return TemplateResponse(request, "admin/choose_organization.html", context)
