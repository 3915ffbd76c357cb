"""The forms of the admin that check a password, with the throttle of logins."""

import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm

from crm_project.accounts.logins import TooManyAttempts, client_address, throttled_login

SESSION_LASTS = datetime.timedelta(hours=12)


class ThrottledForm:
    """Mixin of a form that checks a password; `refusal` is set after too many wrong ones."""

    refusal: TooManyAttempts | None = None

    def throttled(self, email: str, request: HttpRequest, check: Any) -> None:
        """Run `check`, which raises ValidationError for a wrong password."""
        problem: list[forms.ValidationError] = []

        def checked() -> bool:
            try:
                check()
            except forms.ValidationError as error:
                problem.append(error)
            return not problem

        try:
            throttled_login(email, client_address(request), checked)
        except TooManyAttempts as refusal:
            self.refusal = refusal
            raise forms.ValidationError(refusal.detail, code=refusal.code) from refusal
        if problem:
            raise problem[0]


class SignInForm(ThrottledForm, AuthenticationForm):  # type: ignore[misc]
    """Django's login form, which asks for an e-mail address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")

    def clean(self) -> dict[str, Any]:
        email = self.cleaned_data.get("username")
        if email and self.cleaned_data.get("password"):
            self.throttled(email, self.request, super().clean)
            # The sign-in sets the time of the last one.
            self.request.staff_first_sign_in = self.get_user().last_login is None
        return dict(self.cleaned_data)


class OwnPasswordForm(ThrottledForm, AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """Django's form to change one's own password: a stolen session must not find out the old one."""

    request: HttpRequest

    def clean_old_password(self) -> str:
        self.throttled(self.user.email, self.request, super().clean_old_password)
        return str(self.cleaned_data["old_password"])


def is_first_sign_in(request: HttpRequest) -> bool:
    """Whether the login has signed in by this request, and never before."""
    return bool(getattr(request, "staff_first_sign_in", False))


def throttled_page(response: Any) -> HttpResponse:
    """The page of such a form, with status 429 if it was refused for too many wrong passwords."""
    form = (getattr(response, "context_data", None) or {}).get("form")
    refusal = getattr(form, "refusal", None)
    if refusal is not None:
        response.status_code = 429
        response["Retry-After"] = str(refusal.wait)
    page: HttpResponse = response
    return page
