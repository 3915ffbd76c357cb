"""The parameters of the API's lists for those of the admin's lists, whose ids and names differ."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest

from contacts.models import Contact
from crm_project.accounts.models import Member
from crm_project.api.filters import CUSTOM_PREFIX
from crm_project.saved_views.models import SavedView
from crm_project.staff.inputs import whole_number
from crm_project.staff.request_actor import visible
from crm_project.staff.saved_views import VIEW, views_of
from deals.models import Deal

YES_NO = {"yes": "true", "no": "false"}
Translation = Callable[[HttpRequest, str], dict[str, str]]


def same(name: str) -> Translation:
    return lambda request, value: {name: value}


def row_of(model: Any, name: str) -> Translation:
    """The uuid of a visible row for its id; nothing for any other value."""

    def translate(request: HttpRequest, value: str) -> dict[str, str]:
        row = visible(request, model).filter(pk=whole_number(value)).first()
        return {name: str(row.uuid)} if row is not None else {}

    return translate


def boolean(name: str) -> Translation:
    return lambda request, value: {name: YES_NO[value]} if value in YES_NO else {}


def member_of(request: HttpRequest, value: str) -> dict[str, str]:
    """The API names members by uuid."""
    member = visible(request, Member).filter(pk=whole_number(value)).first()
    return {"owner": str(member.uuid)} if member is not None else {}


def filters_of_view(request: HttpRequest, value: str) -> dict[str, str]:
    views = (view for model in (Deal, Contact) for view in views_of(request, model))
    return next((dict(view.filters) for view in views if view.uuid == value), {})


COMMON: Mapping[str, Translation] = {
    VIEW: filters_of_view,
    SEARCH_VAR: same("q"),
    "owner": member_of,
    "change_set": same("change_set"),
    "created_at_from": same("created_at_after"),
    "created_at_to": same("created_at_before"),
}
FROM_ADMIN: Mapping[str, Mapping[str, Translation]] = {
    SavedView.Lists.DEALS: {
        **COMMON,
        **{name: same(name) for name in ("status", "pipeline", "stage", "currency")},
        "amount_from": same("amount_min"),
        "amount_to": same("amount_max"),
        "expected_close_date_from": same("expected_close_date_after"),
        "expected_close_date_to": same("expected_close_date_before"),
        "closed_at_from": same("closed_at_after"),
        "closed_at_to": same("closed_at_before"),
        "is_private": boolean("is_private"),
        "next_step": same("next_step"),
        "forecast": same("forecast_category"),
        "lost_reason": same("lost_reason"),
        "stale": boolean("stale"),
        "paused": boolean("paused"),
        "with": row_of(Contact, "company"),
    },
    SavedView.Lists.CONTACTS: {**COMMON, "kind": same("kind"), "company": row_of(Contact, "company")},
}


def api_parameters(request: HttpRequest, name: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """What the parameters of a list of the admin mean in the API; nothing if one of them has no equal there.

    Those of a saved view among them are its own, unless another one filters by the same name.
    """
    found: dict[str, str] = {}
    for parameter, value in parameters.items():
        if parameter in (PAGE_VAR, ORDER_VAR) or not value:
            continue
        if parameter.startswith(CUSTOM_PREFIX):
            found[parameter] = YES_NO.get(value, value)
            continue
        translate = FROM_ADMIN[name].get(parameter)
        if translate is None:
            return {}
        meant = translate(request, value)
        if any(found.get(key, text) != text for key, text in meant.items()):
            return {}
        found |= meant
    return found
