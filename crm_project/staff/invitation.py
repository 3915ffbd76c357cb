"""The page on which a person accepts an invitation: it needs its link, and no login."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate, login
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from crm_project.accounts.invitations import accept_invitation, find_invitation, has_login
from crm_project.accounts.models import Invitation, User
from crm_project.accounts.sessions import SESSION_KEY
from crm_project.errors import DomainError, NotFound
from crm_project.staff.inputs import Password
from crm_project.staff.sign_in import SESSION_LASTS, ThrottledForm, throttled_page

WRONG = gettext_lazy("This is not the password of the login with this e-mail address.")


class AcceptForm(ThrottledForm, forms.Form):
    """A password: that of the login, or one for a new login."""

    password = forms.CharField(
        strip=False, label=gettext_lazy("Password"), widget=Password({"autocomplete": "current-password"})
    )
    user: User | None = None

    def __init__(self, *args: Any, request: HttpRequest, invitation: Invitation) -> None:
        super().__init__(*args)
        self.request, self.invitation = request, invitation
        if is_signed_in(request, invitation):
            self.user = request.user  # type: ignore[assignment]
            del self.fields["password"]

    def clean(self) -> dict[str, Any]:
        password = self.cleaned_data.get("password")
        if password:
            self.throttled(self.invitation.email, self.request, lambda: self._check(password))
        return self.cleaned_data

    def _check(self, password: str) -> None:
        if not has_login(self.invitation):
            validate_password(
                password, User(email=self.invitation.email, full_name=self.invitation.full_name)
            )
            return
        user: Any = authenticate(self.request, username=self.invitation.email, password=password)
        if user is None:
            raise forms.ValidationError(WRONG, code="invalid_login")
        self.user = user


def is_signed_in(request: HttpRequest, invitation: Invitation) -> bool:
    return bool(request.user.is_authenticated and request.user.email == invitation.email)


@never_cache
def accept_view(request: HttpRequest, site: Any) -> HttpResponse:
    """The secret is in the query, which the access log leaves out."""
    secret = request.GET.get("token", "")
    context = {**site.each_context(request), "title": _("Invitation")}
    try:
        invitation = find_invitation(secret)
    except NotFound as refusal:
        return _page(request, {**context, "problem": refusal.detail}, status=404)
    data = request.POST if request.method == "POST" else None
    form = AcceptForm(data, request=request, invitation=invitation)
    if form.is_valid():
        try:
            member = accept_invitation(
                secret=secret, user=form.user, password=form.cleaned_data.get("password", "")
            )
        except DomainError as refusal:
            form.add_error(None, refusal.detail)
        else:
            if form.user is None or not is_signed_in(request, invitation):
                login(request, member.user, backend="django.contrib.auth.backends.ModelBackend")
                request.session.set_expiry(timezone.now() + SESSION_LASTS)
            request.session[SESSION_KEY] = member.pk
            return HttpResponseRedirect(reverse("admin:index"))
    signed_in = is_signed_in(request, invitation)
    return _page(request, {**context, "invitation": invitation, "form": form, "is_signed_in": signed_in})


def _page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    template = "admin/accounts/invitation/accept.html"
    return throttled_page(TemplateResponse(request, template, context, status=status))
