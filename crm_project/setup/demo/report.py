"""The lines that the demo prints: its URL, a staff login, an API token."""

from django.utils import timezone

from crm_project import environment
from crm_project.accounts.models import ApiToken, User
from crm_project.accounts.services import token_digest
from crm_project.setup.demo.data import SLUGS, demo_members


def secrets_of_environment() -> tuple[str, str]:
    """The demo's password and token as the environment or `.env` sets them; empty where it does not."""
    env = environment.load()
    return env.str("DEMO_PASSWORD", default=""), env.str("DEMO_TOKEN", default="")


def report(*, password: str, token: str, is_new: bool) -> str:
    """Password and token are printed only if they are valid, and the password only when the demo has been created."""
    port = environment.load().int("PORT", default=8000)
    login = _login(password, is_new=is_new)
    return f"URL: http://127.0.0.1:{port}\nStaff login: {login}\nAPI token: {_token(token)}"


def other_logins() -> str:
    emails = [entry["email"] for entry in demo_members() if entry.get("login")]
    return f"The same password is valid for {', '.join(emails[1:-1])} and {emails[-1]}."


def _login(password: str, *, is_new: bool) -> str:
    email = demo_members()[0]["email"]
    user = User.objects.filter(email=email, memberships__organization__slug=SLUGS[0]).first()
    if user is None:
        return "your own"
    if not user.check_password(password):
        return f"{email}, whose password has been changed"
    return f"{email} / {password}" if is_new else f"{email}, with DEMO_PASSWORD of .env"


def _token(token: str) -> str:
    if token and ApiToken.objects.usable(timezone.now()).filter(digest=token_digest(token)).exists():
        return token
    return "create one with `python manage.py create_token`"
