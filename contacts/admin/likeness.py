"""Contacts that may be the same as the one of a form, while it is typed."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.duplicates import Likeness, duplicates
from contacts.models import Contact
from crm_project.accounts.rules import Permission
from crm_project.staff import display
from crm_project.staff.actions import action_url
from crm_project.staff.inputs import whole_number
from crm_project.staff.request_actor import actor_of

# The fields of the form, in the query; more of a text than a column holds cannot be the same.
NAMES, EMAILS, PHONES = (
    ("first_name", "last_name", "name"),
    ("email", "further_emails"),
    ("phone", "mobile", "further_phones"),
)
SCRIPTS = ("contacts/duplicates.js",)
LONGEST, MOST_ENTRIES, SHOWN = 255, 50, 5
COMMON = {"email": gettext_noop("e-mail"), "phone": gettext_noop("phone"), "name": gettext_noop("name")}


def warn(field: forms.Field, row: Any = None) -> None:
    """Let the script of the form ask for duplicates; `row` is the contact that the form changes."""
    field.widget.attrs["data-duplicates"] = reverse("admin:contacts_contact_duplicates")
    if row is not None:
        field.widget.attrs["data-row"] = str(row.pk)


def duplicates_view(admin: Any, request: HttpRequest) -> HttpResponse:
    """A part of a page: the duplicates of what was typed; empty if there are none."""
    actor = actor_of(request)
    if actor is None or not admin.has_view_permission(request):
        raise PermissionDenied
    typed, row = request.GET, whole_number(request.GET.get("row", ""))
    is_company = typed.get("kind") == Contact.Kinds.COMPANY
    names = [typed.get("name", "")] if is_company else [typed.get(name, "") for name in NAMES]
    likeness = Likeness.typed(
        kind=Contact.Kinds.COMPANY if is_company else Contact.Kinds.PERSON,
        names=[name[:LONGEST] for name in names],
        emails=_entries(typed, EMAILS),
        phones=_entries(typed, PHONES),
        country=actor.organization.country,
    )
    found = duplicates(actor, likeness, without=[row] if row else ())[:SHOWN]
    may_merge = bool(row) and actor.may(Permission.EDIT_DEALS)
    context = {
        "is_new": not row,
        "found": [
            {
                "link": display.link(one.contact),
                "about": admin.palette_description(one.contact),
                "common": ", ".join(_(COMMON[reason]) for reason in one.reasons),
                "merge": action_url(admin, admin.row_action("merge"), [row, one.contact.pk])
                if may_merge
                else "",
            }
            for one in found
        ],
    }
    return TemplateResponse(request, "admin/contacts/contact/duplicates.html", context)


def _entries(typed: QueryDict, names: Sequence[str]) -> list[str]:
    return [text for name in names for text in typed.getlist(name)[:MOST_ENTRIES] if 0 < len(text) <= LONGEST]
