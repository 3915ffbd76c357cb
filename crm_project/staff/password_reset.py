"""The pages of a forgotten password: the request, the answer, the new password, the end. They need no login."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache

from crm_project.accounts.logins import TooManyAttempts, client_address, throttled_secret
from crm_project.accounts.password_reset import request_password_reset, reset_password
from crm_project.errors import NotFound
from crm_project.mail.services import has_mail_server
from crm_project.staff.inputs import Password, TextInput
from crm_project.staff.sign_in import ThrottledForm, throttled_page

FOLDER = "admin/accounts/password_reset"


class RequestForm(ThrottledForm, forms.Form):
    """An e-mail address, with or without a login: each request counts as an attempt."""

    email = forms.EmailField(
        max_length=254,
        label=gettext_lazy("E-mail"),
        widget=TextInput({"autocomplete": "username", "type": "email"}),
    )

    def send(self, request: HttpRequest) -> bool:
        """Queue the message; False after too many requests."""
        email = self.cleaned_data["email"]
        try:
            # The name of the account differs from that of its sign-in: wrong passwords do not delay a new one.
            throttled_secret(
                f"password reset {email}",
                client_address(request),
                lambda: request_password_reset(email=email),
            )
        except TooManyAttempts as refusal:
            self.refusal = refusal
            text = ngettext(
                "Too many requests. Wait %(seconds)s seconds and try again.",
                "Too many requests. Wait %(seconds)s seconds and try again.",
                refusal.wait,
            )
            self.add_error(None, text % {"seconds": refusal.wait})
            return False
        return True


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = Password({"autocomplete": "new-password"})
        self.fields["new_password1"].help_text = _("At least 12 characters, and none that is easy to guess.")
        self.fields["new_password2"].help_text = ""
        self.fields["new_password2"].label = _("New password again")


@never_cache
def request_view(request: HttpRequest, site: Any) -> HttpResponse:
    """The answer is the same for every address."""
    can_send = has_mail_server()
    form = RequestForm(request.POST if request.method == "POST" and can_send else None)
    if form.is_valid() and form.send(request):
        return HttpResponseRedirect(reverse("admin:password_reset_sent"))
    context = {"title": _("New password"), "form": form, "can_send": can_send}
    return throttled_page(page(request, site, "request", context))


@never_cache
def sent_view(request: HttpRequest, site: Any) -> HttpResponse:
    return page(request, site, "sent", {"title": _("New password")})


@never_cache
def done_view(request: HttpRequest, site: Any) -> HttpResponse:
    return page(request, site, "done", {"title": _("New password")})


def page(request: HttpRequest, site: Any, name: str, context: dict[str, Any]) -> TemplateResponse:
    return TemplateResponse(request, f"{FOLDER}/{name}.html", {**site.each_context(request), **context})


class ConfirmView(PasswordResetConfirmView):
    """Django's view: the secret of the link moves into the session, and the address of the page has none."""

    form_class = NewPasswordForm
    success_url = reverse_lazy("admin:password_reset_done")
    template_name = f"{FOLDER}/new.html"
    title = gettext_lazy("New password")

    def get_user(self, uidb64: str) -> Any:
        user = super().get_user(uidb64)
        return user if user is not None and user.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        token = self.request.session.pop(INTERNAL_RESET_SESSION_TOKEN)
        try:
            reset_password(user=form.user, token=token, password=form.cleaned_data["new_password1"])
        except NotFound:
            self.validlink = False
            return self.render_to_response(self.get_context_data())  # used in another window
        return HttpResponseRedirect(str(self.success_url))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "title": self.title}

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        return super().render_to_response(context, status=200 if self.validlink else 404, **options)
