"""Deals on other pages: the lists of the home page, the deals of a contact.

Each figure is that of the list which its link opens: `WorkList` has the condition and the filters side by side.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.languages.figures import number
from crm_project.records.days import day_at
from crm_project.staff import display, panels
from crm_project.staff.addresses import address_of, row_address
from crm_project.staff.request_actor import actor_of
from deals import money
from deals.models import Deal
from deals.querysets import is_paused, is_stale, with_any_contact
from deals.rows import for_lines, set_stages_and_people
from pipelines.catalogue import cached_catalogue
from pipelines.models import Pipeline

LIST_LENGTH = 8
PANEL_LENGTH = 20
# The parameter of the list of deals with a contact.
WITH_CONTACT = "with"
WITHOUT_RATE = Q(amount__isnull=False, amount_base=None)


def month_of(day: datetime.date) -> tuple[datetime.date, datetime.date]:
    """The first day of the month, and the first of the next."""
    first = day.replace(day=1)
    return first, (first + datetime.timedelta(days=32)).replace(day=1)


# The organization's day, and now: the reasons of the rows are computed from them.
Moment = tuple[datetime.date, datetime.datetime]


@dataclass(frozen=True)
class WorkList:
    """A list of open deals on the home page: `condition` selects what the parameters `filters` of the list do.

    `reason` says why a deal is in the list.
    """

    name: str
    title: str
    icon: str
    tone: str
    ordering: tuple[str, ...]
    reason: Callable[[Deal, Moment], str]
    condition: Q = field(default_factory=Q)
    filters: Mapping[str, str] = field(default_factory=dict)
    # Whether the heading has the sum of the deals.
    is_summed: bool = False


def work_lists(day: datetime.date, too_long: Q) -> list[WorkList]:
    """The lists of that day; `too_long` is the condition of stale deals. None that asks for work has paused deals."""
    next_month, awake = month_of(day)[1], ~is_paused(day)
    until = {"expected_close_date_from": day.isoformat(), "expected_close_date_to": day_before(next_month)}
    return [
        WorkList(
            "no_step",
            _("Without a next step"),
            "add_task",
            "warn",
            ("-created_at", "-id"),
            lambda deal, moment: _("No next step"),
            Q(next_activity=None) & awake,
            {"next_step": "none", "paused": "no"},
        ),
        WorkList(
            "overdue",
            _("Close date passed"),
            "event_busy",
            "bad",
            # The latest first: the oldest are in the list of stale deals too.
            ("-expected_close_date", "-id"),
            _since_its_close_date,
            Q(expected_close_date__lt=day) & awake,
            {"expected_close_date_to": day_before(day), "paused": "no"},
        ),
        WorkList(
            "this_month",
            _("Closing this month"),
            "event",
            "info",
            ("expected_close_date", "id"),
            _closes_on,
            Q(expected_close_date__gte=day, expected_close_date__lt=next_month),
            until,
            is_summed=True,
        ),
        WorkList(
            "stale",
            _("Too long in one stage"),
            "hourglass_bottom",
            "warn",
            ("stage_entered_at", "id"),
            _beyond_the_limit,
            too_long,
            {"stale": "yes"},
        ),
        WorkList("newest", _("Newest open deals"), "handshake", "muted", ("-created_at", "-id"), _added_on),
    ]


def _since_its_close_date(deal: Deal, moment: Moment) -> str:
    expected: Any = deal.expected_close_date
    days = (moment[0] - expected).days
    text = ngettext("Close date %(count)s day ago", "Close date %(count)s days ago", days)
    return text % {"count": number(days)}


def _closes_on(deal: Deal, moment: Moment) -> str:
    expected: Any = deal.expected_close_date
    if expected == moment[0]:
        return _("Closes today")
    return _("Closes on %(day)s") % {"day": formats.date_format(expected, "MONTH_DAY_FORMAT")}


def _beyond_the_limit(deal: Deal, moment: Moment) -> str:
    days = deal.days_in_stage(moment[1])
    text = ngettext(
        "%(count)s day in %(stage)s, limit %(limit)s", "%(count)s days in %(stage)s, limit %(limit)s", days
    )
    values = {"count": number(days), "stage": deal.stage.name, "limit": number(deal.stage.days_until_stale)}
    return text % values


def _added_on(deal: Deal, moment: Moment) -> str:
    days = (moment[1] - deal.created_at).days
    text = ngettext("Added %(count)s day ago", "Added %(count)s days ago", days)
    return text % {"count": number(days)} if days > 0 else _("Added today")


def home_context(actor: Actor, request: HttpRequest) -> dict[str, Any]:
    """The lists of open deals and the totals of the pipelines, of the member's own deals or of all."""
    visible = Deal.objects.visible_to(actor.member).open()
    mine, whose = visible.filter(owner=actor.member), whose_of(actor, request)
    own = {"owner": str(actor.member.pk)} if whose == "mine" else {}
    now = timezone.now()
    day = day_at(now, actor.organization.time_zone)
    deals, lists = mine if own else visible, work_lists(day, is_stale(actor.organization, now))
    groups = _groups(deals, lists)
    back = f"{reverse('admin:index')}?whose={whose}"
    counts = {one.name: sum(group[one.name] for group in groups) for one in lists}
    found = _first_deals(actor, deals, [one for one in lists if counts[one.name]])
    may_edit = actor.may(Permission.EDIT_DEALS)
    displayed_lists = [
        {
            **_list(one, found.get(one.name, ()), (day, now), own, back if may_edit else ""),
            "count": counts[one.name],
            **(_value(one, groups, actor.organization.currency) if one.is_summed else {}),
        }
        for one in lists
    ]
    return {
        "may_edit": may_edit,
        "whose": whose,
        "lists": displayed_lists,
        "pipelines": pipeline_totals(actor, groups, own),
        "first_steps": first_steps(actor) if not groups else [],
    }


def whose_of(actor: Actor, request: HttpRequest) -> str:
    """Whose work the home page shows, `mine` or `all`: that of a member who has open deals, unless one is chosen."""
    chosen = request.GET.get("whose") or request.POST.get("whose")
    if chosen in ("mine", "all"):
        return str(chosen)
    # The lists of deals and of activities ask for it in one request.
    known: str | None = getattr(request, "staff_whose", None)
    if known is None:
        mine = Deal.objects.visible_to(actor.member).open().filter(owner=actor.member)
        known = "mine" if mine.exists() else "all"
        request.staff_whose = known  # type: ignore[attr-defined]
    return known


def _groups(deals: Any, lists: Sequence[WorkList]) -> list[dict[str, Any]]:
    """The number and sum of deals per pipeline and currency, and how many of them are in each list, in one query."""
    counts: Any = {
        one.name: Count("id", filter=one.condition) if one.condition else Count("id") for one in lists
    }
    for one in lists:
        if one.is_summed:
            counts[f"{one.name}_base"] = Sum("amount_base", filter=one.condition)
            counts[f"{one.name}_without_rate"] = Count("id", filter=one.condition & WITHOUT_RATE)
    groups = deals.order_by().values("stage__pipeline", "currency")
    groups = groups.annotate(
        count=Count("id"),
        total=Sum("amount"),
        total_base=Sum("amount_base"),
        without_rate=Count("id", filter=WITHOUT_RATE),
        **counts,
    )
    return list(groups.order_by("stage__pipeline", "currency"))


def first_steps(actor: Actor) -> list[dict[str, str]]:
    """The first steps of a new organization that the role allows; none if there is a deal."""
    if Deal.objects.visible_to(actor.member).exists():
        return []
    steps = [
        (
            Permission.EDIT_PIPELINES,
            "view_column",
            _("Look at your pipeline"),
            _("Rename its stages to match how you sell. Add another pipeline for a different process."),
            "admin:pipelines_pipeline_changelist",
        ),
        (
            Permission.ADMINISTER,
            "group",
            _("Invite your colleagues"),
            _("Each gets a role, which decides what they can see and do."),
            "admin:accounts_invitation_add",
        ),
        (
            Permission.EDIT_DEALS,
            "upload",
            _("Import your data"),
            _(
                "Import contacts and deals from CSV or XLSX. A preview shows the result before anything is saved."
            ),
            "admin:imports_import_add",
        ),
        (
            Permission.EDIT_DEALS,
            "handshake",
            _("Add your first deal"),
            _("A name is enough to begin with. Add its amount, contact and other details later."),
            "admin:deals_deal_add",
        ),
    ]
    return [
        {"icon": icon, "title": title, "text": text, "url": reverse(url)}
        for permission, icon, title, text, url in steps
        if actor.may(permission)
    ]


def day_before(day: datetime.date) -> str:
    return (day - datetime.timedelta(days=1)).isoformat()


def _value(one: WorkList, groups: Sequence[Mapping[str, Any]], currency: str) -> dict[str, Any]:
    """The sum of a list in the organization's currency, and how many of its deals have no rate."""
    base = sum((group[f"{one.name}_base"] or Decimal(0) for group in groups), Decimal(0))
    without_rate = sum(group[f"{one.name}_without_rate"] for group in groups)
    return {
        "value": _in_currency(base, currency),
        "note": display.without_rate(without_rate) if without_rate else "",
    }


def _in_currency(amount: Decimal, code: str) -> Any:
    rounded = Decimal(money.rounded(amount, code))
    return display.money(rounded, code, CURRENCY_DECIMALS.get(code, 2))


def _first_deals(actor: Actor, deals: Any, lists: Sequence[WorkList]) -> dict[str, list[Any]]:
    """The first deals of each list; their stages and contacts are read once for all lists."""
    found = {
        one.name: list(for_lines(deals.filter(one.condition)).order_by(*one.ordering)[:LIST_LENGTH])
        for one in lists
    }
    set_stages_and_people(actor.member, [deal for rows in found.values() for deal in rows])
    return found


def _list(
    one: WorkList, deals: Sequence[Any], moment: Moment, own: Mapping[str, str], back: str
) -> dict[str, Any]:
    """The first deals of a list, each with the reason why it is there, and the link to all of them."""
    return {
        "name": one.name,
        "title": one.title,
        "icon": one.icon,
        "rows": [{**_row(deal, back, moment), "reason": one.reason(deal, moment)} for deal in deals],
        "url": _filtered({**own, **one.filters}),
        "tone": one.tone,
    }


def _row(deal: Deal, back: str, moment: Moment) -> dict[str, Any]:
    """A deal as a row, with what can be done there; `back` is the page that an action returns to, for an editor."""
    return {
        "deal": deal,
        "link": display.link(deal),
        "worth": _worth(deal),
        "chip": display.chip(deal.stage.name, deal.stage.color),
        "day": display.day(deal.expected_close_date),
        "age": display.age(deal.stage_entered_at, moment[1]),
        "account": deal.client or deal.contact or "",
        "acts": [*(_writing_acts(deal, back) if back else ()), *_calling_acts(deal)],
    }


def _writing_acts(deal: Deal, back: str) -> list[dict[str, str]]:
    """Without the script, the next step is planned on the page of the deal."""
    whose = back.rpartition("=")[2]
    plan = urlencode({"about": f"deal:{deal.pk}", "whose": whose}, safe=":")
    return [
        {
            "url": f"{row_address(deal)}#timeline",
            "plan": f"{address_of('admin:activities_activity_plan')}?{plan}",
            "icon": "add_task",
            "label": pgettext("verb", "Plan"),
            "hint": _("Plan the next step of %(deal)s") % {"deal": deal},
        },
        {
            "url": f"{address_of('admin:deals_deal_action', 'move')}?{urlencode({'ids': deal.pk, 'next': back})}",
            "icon": "arrow_forward",
            "label": _("Move"),
            "hint": _("Move %(deal)s") % {"deal": deal},
        },
    ]


def _calling_acts(deal: Deal) -> list[dict[str, str]]:
    person = person_of(deal)
    phone, email = phone_of(person), person.email if person else ""
    names = {"person": person, "deal": deal}
    call = {
        "url": f"tel:{phone}",
        "title": phone,
        "icon": "call",
        "label": pgettext("verb", "Call"),
        "hint": _("Call %(person)s about %(deal)s") % names,
    }
    mail = {
        "url": f"mailto:{email}",
        "title": email,
        "icon": "mail",
        "label": pgettext("verb", "Mail"),
        "hint": _("Mail %(person)s about %(deal)s") % names,
    }
    return [*([call] if phone else ()), *([mail] if email else ())]


def person_of(deal: Deal) -> Contact | None:
    """The contact to call or write to about a deal: its contact, else its client, without those in the trash."""
    return next((one for one in (deal.contact, deal.client) if one and one.deleted_at is None), None)


def phone_of(person: Contact | None) -> str:
    return (person.phone or person.mobile) if person else ""


def _filtered(filters: Mapping[str, str]) -> str:
    return f"{reverse('admin:deals_deal_changelist')}?{urlencode({'status': 'open', **filters})}"


def _worth(deal: Deal) -> Any:
    return display.money(deal.amount, deal.currency, CURRENCY_DECIMALS.get(deal.currency, 2))


def pipeline_totals(
    actor: Actor, groups: Sequence[dict[str, Any]], own: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The open deals of each pipeline, in the organization's currency; those without rates by themselves."""
    by_pipeline: dict[int, list[dict[str, Any]]] = {}
    for group in groups:
        by_pipeline.setdefault(group["stage__pipeline"], []).append(group)
    currency = actor.organization.currency
    pipelines = cached_catalogue.of(actor.organization).default_first()
    return [_pipeline(pipeline, by_pipeline.get(pipeline.pk, []), currency, own) for pipeline in pipelines]


def _pipeline(
    pipeline: Pipeline, groups: list[dict[str, Any]], currency: str, own: Mapping[str, str]
) -> dict[str, Any]:
    """The total of a pipeline in the organization's currency, and those of currencies without a rate."""
    base = sum(group["total_base"] or 0 for group in groups if not group["without_rate"])
    others = [(group["total"], group["currency"]) for group in groups if group["without_rate"]]
    return {
        "name": pipeline.name,
        "url": _filtered({**own, "pipeline": str(pipeline.pk)}),
        "count": sum(group["count"] for group in groups),
        "sums": [_in_currency(amount, code) for amount, code in [(base, currency), *others] if amount],
    }


def deals_of(request: HttpRequest, contact: Contact) -> panels.Panel | None:
    """The panel of a contact's deals; those of a company include the deals of its people."""
    actor = actor_of(request)
    if actor is None:
        return None
    deals = Deal.objects.visible_to(actor.member).filter(takes_part(actor, contact.pk))
    deals = deals.select_related("stage", "owner__user", "client", "contact")
    rows = list(deals.order_by("-created_at", "-id")[: PANEL_LENGTH + 1])
    more = f"{reverse('admin:deals_deal_changelist')}?{urlencode({WITH_CONTACT: contact.pk})}"
    part = "client" if contact.kind == Contact.Kinds.COMPANY else "contact"
    add = f"{reverse('admin:deals_deal_add')}?{part}={contact.pk}"
    return panels.Panel(
        title=_("Deals"),
        headers=(_("Deal"), _("Amount"), _("Stage"), _("Status"), _("Owner"), _("Expected close")),
        rows=[
            (
                display.link(deal),
                _worth(deal),
                display.chip(deal.stage.name, deal.stage.color),
                display.status(deal.status, deal.get_status_display()),
                deal.owner.full_name if deal.owner else display.NOTHING,
                display.day(deal.expected_close_date),
            )
            for deal in rows[:PANEL_LENGTH]
        ],
        empty=_("No deals yet."),
        more_url=more if len(rows) > PANEL_LENGTH else "",
        add_url=add if actor.may(Permission.EDIT_DEALS) else "",
    )


def takes_part(actor: Actor, contact_id: int) -> Q:
    """Deals with this contact in any part; those of a company include the deals of its people."""
    named = Q(pk=contact_id) | Q(company=contact_id)
    people = Contact.objects.visible_to(actor.member).filter(named).order_by().values("pk")
    return with_any_contact(actor.organization_id, people)
