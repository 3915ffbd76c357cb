"""The few lines that the demo ends with: where it is, how to sign in, a token."""

from dataclasses import dataclass

from django.utils import timezone

from crm_project import environment
from crm_project.accounts.models import ApiToken, Member, User
from crm_project.accounts.services import token_digest
from crm_project.setup.demo.data import demo_data
from crm_project.setup.demo.logins import admin_email, told_members


@dataclass(frozen=True)
class Secrets:
    """What the environment, or `.env`, wants the demo's password and token to be; empty where it does not say."""

    password: str
    token: str


def secrets_of_environment() -> Secrets:
    env = environment.load()
    return Secrets(env.str("DEMO_PASSWORD", default=""), env.str("DEMO_TOKEN", default=""))


def report(*, password: str, token: str) -> str:
    """Secrets are shown as far as they are known and hold."""
    return "\n".join([f"URL: {url()}", f"Staff login: {_login(password)}", f"API token: {_token(token)}"])


def url() -> str:
    return f"http://127.0.0.1:{environment.load().int('PORT', default=8000)}"


def also_opens() -> str:
    emails = [told["email"] for told in told_members() if told.get("login")]
    return f"The same password opens {', '.join(emails[1:-1])} and {emails[-1]}."


def _login(password: str) -> str:
    user = User.objects.filter(email=admin_email()).first()
    if user is None or not _is_demos(user):
        return "your own"
    return (
        f"{user.email} / {password}"
        if user.check_password(password)
        else f"{user.email}, with the password you know"
    )


def _is_demos(user: User) -> bool:
    return Member.objects.filter(user=user, organization__slug=demo_data()["demo"]["slug"]).exists()


def _token(token: str) -> str:
    if token and ApiToken.objects.usable(timezone.now()).filter(digest=token_digest(token)).exists():
        return token
    return "make one with `python manage.py create_token`"
