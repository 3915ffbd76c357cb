"""Deals on other pages: the lists of the home page, the deals of a contact."""

import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.staff import display, panels
from crm_project.staff.request_actor import actor_of, today
from deals import money
from deals.models import Deal, DealContact
from pipelines.models import Pipeline

LIST_LENGTH = 8
# Most people of a company, and most deals that they take part in, that are searched for deals of the company.
PARTICIPANT_LIMIT = 500
STALE_AFTER = datetime.timedelta(days=30)


def month_of(day: datetime.date) -> tuple[datetime.date, datetime.date]:
    """The first day of the month, and the first of the next."""
    first = day.replace(day=1)
    return first, (first + datetime.timedelta(days=32)).replace(day=1)


def home_context(actor: Actor, request: HttpRequest) -> dict[str, Any]:
    """The lists of open deals, the member's own or all, and the totals of the pipelines."""
    visible = (
        Deal.objects.visible_to(actor.member).open().select_related("stage__pipeline", "client", "contact")
    )
    mine = visible.filter(owner=actor.member)
    whose = request.GET.get("whose") or ("mine" if mine.exists() else "all")
    own = {"owner": str(actor.member.pk)} if whose == "mine" else {}
    lists = work_lists(mine if own else visible, today(actor), own)
    idle = not any(entry["rows"] for entry in lists)
    return {
        "may_edit": actor.may(Permission.EDIT_DEALS),
        "whose": whose,
        "lists": lists,
        "pipelines": pipeline_totals(actor),
        "first_steps": first_steps(actor) if idle else [],
    }


def first_steps(actor: Actor) -> list[dict[str, str]]:
    """The first steps of a new organization that the role allows; none if there is a deal."""
    if Deal.objects.visible_to(actor.member).exists():
        return []
    steps = [
        (
            Permission.EDIT_PIPELINES,
            "view_column",
            "Look at your pipeline",
            "Rename its stages to match how you sell. Add another pipeline for a different process.",
            "admin:pipelines_pipeline_changelist",
        ),
        (
            Permission.ADMINISTER,
            "group",
            "Invite your colleagues",
            "Each gets a role, which decides what they can see and do.",
            "admin:accounts_invitation_add",
        ),
        (
            Permission.EDIT_DEALS,
            "upload",
            "Import your data",
            "Import contacts and deals from CSV or XLSX. A preview shows the result before anything is saved.",
            "admin:imports_import_add",
        ),
        (
            Permission.EDIT_DEALS,
            "handshake",
            "Add your first deal",
            "A name is enough to begin with. Add its amount, contact and other details later.",
            "admin:deals_deal_add",
        ),
    ]
    return [
        {"icon": icon, "title": title, "text": text, "url": reverse(url)}
        for permission, icon, title, text, url in steps
        if actor.may(permission)
    ]


def work_lists(deals: Any, day: datetime.date, own: dict[str, str]) -> list[dict[str, Any]]:
    """The lists of the home page, each with a link to a change list with the same filters."""
    _, next_month = month_of(day)
    by_day = deals.filter(expected_close_date__isnull=False).order_by("expected_close_date", "id")
    # The latest first: the oldest are in the list of stale deals too.
    overdue = deals.filter(expected_close_date__lt=day).order_by("-expected_close_date", "-id")
    this_month = by_day.filter(expected_close_date__gte=day, expected_close_date__lt=next_month)
    stale = deals.filter(stage_entered_at__lt=timezone.now() - STALE_AFTER).order_by("stage_entered_at", "id")
    newest = deals.order_by("-created_at", "-id")
    until = {"expected_close_date_to": _before(next_month), "expected_close_date_from": day.isoformat()}
    return [
        _list("Overdue", "event_busy", overdue, {**own, "expected_close_date_to": _before(day)}, "bad"),
        _list("Closing this month", "event", this_month, {**own, **until}, "info"),
        _list("In one stage for over 30 days", "hourglass_bottom", stale, {**own, "stale": "yes"}, "warn"),
        _list("Newest open deals", "handshake", newest, own, "muted"),
    ]


def _before(day: datetime.date) -> str:
    return (day - datetime.timedelta(days=1)).isoformat()


def _list(title: str, icon: str, deals: Any, filters: dict[str, str], tone: str) -> dict[str, Any]:
    """The first deals of a list; whether there are more is known from one row more, without a count."""
    rows = list(deals[: LIST_LENGTH + 1])
    entries = [
        {
            "link": display.link(deal),
            "worth": _worth(deal),
            "chip": display.chip(deal.stage.name, deal.stage.color),
            "day": display.day(deal.expected_close_date),
            "age": display.age(deal.stage_entered_at, timezone.now()),
            "account": deal.client or deal.contact or "",
        }
        for deal in rows[:LIST_LENGTH]
    ]
    count = f"{LIST_LENGTH}+" if len(rows) > LIST_LENGTH else str(len(rows))
    return {
        "title": title,
        "icon": icon,
        "rows": entries,
        "count": count,
        "url": _filtered(filters),
        "tone": tone,
    }


def _filtered(filters: dict[str, str]) -> str:
    return f"{reverse('admin:deals_deal_changelist')}?{urlencode({'status': 'open', **filters})}"


def _worth(deal: Deal) -> Any:
    return display.money(deal.amount, deal.currency, money.currency_decimals().get(deal.currency, 2))


def pipeline_totals(actor: Actor) -> list[dict[str, Any]]:
    """Open deals per pipeline and currency, in one grouped query; currencies are not added up."""
    groups = (
        Deal.objects.visible_to(actor.member)
        .open()
        .order_by()
        .values("stage__pipeline", "currency")
        .annotate(count=Count("id"), total=Sum("amount"))
    )
    totals: dict[int, list[dict[str, Any]]] = {}
    for group in groups.order_by("stage__pipeline", "currency"):
        totals.setdefault(group["stage__pipeline"], []).append(group)
    own = actor.organization.currency
    pipelines = Pipeline.objects.visible_to(actor.member).default_first()
    return [_pipeline(pipeline, totals.get(pipeline.pk, []), own) for pipeline in pipelines]


def _pipeline(pipeline: Pipeline, groups: list[dict[str, Any]], own: str) -> dict[str, Any]:
    """The totals of a pipeline, that of the organization's currency first."""
    groups = sorted(groups, key=lambda group: (group["currency"] != own, group["currency"]))
    decimals = money.currency_decimals()
    return {
        "name": pipeline.name,
        "url": f"{reverse('admin:deals_deal_changelist')}?status=open&pipeline={pipeline.pk}",
        "count": sum(group["count"] for group in groups),
        "sums": [
            display.money(group["total"], group["currency"], decimals.get(group["currency"], 2))
            for group in groups
            if group["total"]
        ],
    }


def deals_of(request: HttpRequest, contact: Contact) -> panels.Panel | None:
    """The panel of a contact's deals; those of a company include the deals of its people."""
    actor = actor_of(request)
    if actor is None:
        return None
    deals = _taking_part(actor, [contact.pk, *_people(actor, contact)])
    rows = list(deals.order_by("-created_at", "-id")[:20])
    part = "client" if contact.kind == Contact.Kinds.COMPANY else "contact"
    add = f"{reverse('admin:deals_deal_add')}?{part}={contact.pk}"
    return panels.Panel(
        title="Deals",
        headers=("Deal", "Amount", "Stage", "Status", "Owner", "Expected close"),
        rows=[
            (
                display.link(deal),
                _worth(deal),
                display.chip(deal.stage.name, deal.stage.color),
                display.status(deal.status, deal.get_status_display()),
                deal.owner.full_name if deal.owner else display.NOTHING,
                display.day(deal.expected_close_date),
            )
            for deal in rows
        ],
        empty="No deals yet.",
        add_url=add if actor.may(Permission.EDIT_DEALS) else "",
    )


def _people(actor: Actor, contact: Contact) -> list[int]:
    if contact.kind != Contact.Kinds.COMPANY:
        return []
    people = Contact.objects.visible_to(actor.member).filter(company=contact.pk)
    return list(people.values_list("pk", flat=True)[:PARTICIPANT_LIMIT])


def _taking_part(actor: Actor, contacts: list[int]) -> Any:
    """Deals of any of these contacts. Three indexed conditions, since a subquery would be slower."""
    deal_ids = list(
        DealContact.objects.filter(contact__in=contacts).values_list("deal_id", flat=True)[:PARTICIPANT_LIMIT]
    )
    condition = Q(contact__in=contacts) | Q(client__in=contacts) | Q(pk__in=deal_ids)
    visible = Deal.objects.visible_to(actor.member).filter(condition)
    return visible.select_related("stage", "owner__user", "client", "contact")
