"""The first steps of an organization: what they are, which of them are done, and to whom they are offered."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Invitation, Member
from crm_project.accounts.rules import Permission
from crm_project.staff.request_actor import actor_of
from deals.models import Deal

ORGANIZATION, PIPELINE, COLLEAGUES, DEALS = "organization", "pipeline", "colleagues", "deals"
# Noted beside the steps that are done.
DISMISSED = "dismissed"


@dataclass(frozen=True)
class Step:
    name: str
    icon: str
    title: str | Promise
    text: str | Promise
    is_done: bool = False

    @property
    def url(self) -> str:
        return reverse(f"admin:first_steps_{self.name}")


STEPS = (
    Step(
        ORGANIZATION,
        icon="apartment",
        title=gettext_lazy("Your organization"),
        text=gettext_lazy("Its name, currency, country, language and time zone."),
    ),
    Step(
        PIPELINE,
        icon="view_column",
        title=gettext_lazy("Your pipeline"),
        text=gettext_lazy("Choose stages that match how you sell, and name them as you do."),
    ),
    Step(
        COLLEAGUES,
        icon="group",
        title=gettext_lazy("Your colleagues"),
        text=gettext_lazy("Each gets a role, which decides what they can see and do."),
    ),
    Step(
        DEALS,
        icon="handshake",
        title=gettext_lazy("Your deals"),
        text=gettext_lazy("Import contacts and deals from a file, or add the first deal."),
    ),
)


def steps_of(actor: Actor, *, has_deals: bool | None = None) -> list[Step]:
    """All steps. The steps of colleagues and deals are done as soon as there is one."""
    done = set(actor.organization.first_steps or ())
    if has_deals if has_deals is not None else _has_deals(actor):
        done.add(DEALS)
    if _has_colleagues(actor):
        done.add(COLLEAGUES)
    return [Step(step.name, step.icon, step.title, step.text, step.name in done) for step in STEPS]


def _has_deals(actor: Actor) -> bool:
    deals: bool = Deal.objects.visible_to(actor.member).exists()
    return deals


def _has_colleagues(actor: Actor) -> bool:
    others = Member.objects.visible_to(actor.member).exclude(pk=actor.member.pk)
    invited = Invitation.objects.visible_to(actor.member).usable(timezone.now())
    return others.exists() or invited.exists()


def is_offered(actor: Actor, has_deals: bool) -> bool:
    """Whether the guide is offered: to admins, until it is dismissed. An organization that has begun needs none."""
    noted = actor.organization.first_steps
    if not actor.may(Permission.ADMINISTER) or (noted is None and has_deals):
        return False
    return DISMISSED not in (noted or ())


def on_home(request: HttpRequest, has_deals: bool) -> dict[str, Any] | None:
    """The guide as the home page shows it, until all steps are done."""
    actor = actor_of(request)
    if actor is None or not is_offered(actor, has_deals):
        return None
    steps = steps_of(actor, has_deals=has_deals)
    done = sum(step.is_done for step in steps)
    return {"steps": steps, "done": done, "count": len(steps)} if done < len(steps) else None


def first_page(request: HttpRequest) -> str:
    """The first sign-in of an admin of an organization without deals leads to the guide."""
    actor = actor_of(request)
    if actor is None or not actor.may(Permission.ADMINISTER) or _has_deals(actor):
        return ""
    return reverse("admin:first_steps") if is_offered(actor, has_deals=False) else ""
