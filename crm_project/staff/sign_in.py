"""The login form of the admin, with the throttle of logins."""

from typing import Any

from django import forms
from unfold.forms import AuthenticationForm

from crm_project.accounts.logins import TooManyAttempts, client_address, throttled_login


class SignInForm(AuthenticationForm):  # type: ignore[misc]
    """Django's login form, with a limit of five wrong passwords in fifteen minutes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail"

    def clean(self) -> dict[str, Any]:
        email = self.cleaned_data.get("username")
        if not email or not self.cleaned_data.get("password"):
            return dict(self.cleaned_data)
        problem: list[forms.ValidationError] = []
        try:
            throttled_login(email, client_address(self.request), lambda: self._check(problem))
        except TooManyAttempts as refusal:
            raise forms.ValidationError(refusal.detail, code=refusal.code) from refusal
        if problem:
            raise problem[0]
        return dict(self.cleaned_data)

    def _check(self, problem: list[forms.ValidationError]) -> Any:
        try:
            super().clean()
        except forms.ValidationError as error:
            problem.append(error)
            return None
        return self.user_cache
