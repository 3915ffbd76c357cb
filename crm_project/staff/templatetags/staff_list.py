"""The table of a change list: the cells of Django's admin, made by a plan of its columns.

Django's `items_for_result` looks up the column, its classes and its link again for each cell.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import display_for_field, display_for_value, label_for_field, lookup_field
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.template import Library
from django.urls import NoReverseMatch, reverse
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from unfold.templatetags.unfold_list import result_headers

from crm_project.staff.addresses import ROW_ID
from crm_project.staff.display import escaped

register = Library()


@register.inclusion_tag("admin/list_table.html", takes_context=True)
def staff_result_list(context: dict[str, Any], cl: Any) -> dict[str, Any]:
    return {
        "cl": cl,
        "result_headers": list(result_headers(cl)),
        "rows": _rows(cl),
        "has_add_permission": context.get("has_add_permission"),
        "is_popup": cl.is_popup,
        "to_field": cl.to_field,
    }


def _rows(cl: Any) -> list[SafeString]:
    columns = _columns(cl)
    return [mark_safe("".join([column(row) for column in columns])) for row in cl.result_list]


def _columns(cl: Any) -> list[Callable[[Any], str]]:
    """For each column, the function that makes the cell of a row."""
    links = cl.list_display_links
    names = cl.list_display if links is None else links or cl.list_display[:1]
    linked = set() if links is None else {*names}
    address = _page_address(cl) if linked else ""
    columns = []
    for place, name in enumerate(cl.list_display):
        is_heading = name in linked and not any(one in linked for one in cl.list_display[:place])
        columns.append(_column(cl, name, "th" if is_heading else "td", address if name in linked else ""))
    return columns


def _page_address(cl: Any) -> str:
    """The address of a row's page, with a mark for its id; empty for a model without pages."""
    try:
        name = f"admin:{cl.opts.app_label}_{cl.opts.model_name}_change"
        address = reverse(name, args=[ROW_ID], current_app=cl.model_admin.admin_site.name)
    except NoReverseMatch:
        return ""
    return str(add_preserved_filters({"preserved_filters": cl.preserved_filters, "opts": cl.opts}, address))


def _column(cl: Any, name: str, tag: str, address: str) -> Callable[[Any], str]:
    text_of = _texts(cl, name)
    opening = f'<{tag} class="{_classes(cl, name)}"{_label(cl, name)}>'
    closing = f"</{tag}>"
    if not address:
        return lambda row: f"{opening}{text_of(row)}{closing}"
    before, _, after = escape(address).partition(ROW_ID)

    def linked(row: Any) -> str:
        opener = f' data-popup-opener="{row.pk}"' if cl.is_popup else ""
        return f'{opening}<a href="{before}{row.pk}{after}"{opener}>{text_of(row)}</a>{closing}'

    return linked


def _label(cl: Any, name: str) -> str:
    """The header of a column, which a narrow screen shows beside each value."""
    if name == "action_checkbox":
        return ""
    label: Any = label_for_field(name, cl.model, model_admin=cl.model_admin)
    return f' data-label="{escape(capfirst(label))}"'


def _classes(cl: Any, name: str) -> str:
    if name == "action_checkbox":
        return "action-checkbox"
    is_short = isinstance(_field(cl, name), models.DateField | models.TimeField | models.ForeignKey)
    return f"field-{name} nowrap" if is_short else f"field-{name}"


def _field(cl: Any, name: str) -> Any:
    """The field of the model; None for a method."""
    try:
        return cl.opts.get_field(name)
    except FieldDoesNotExist:
        return None


def _texts(cl: Any, name: str) -> Callable[[Any], str]:
    """The function that makes the HTML of a row's value, looked up in Django's order: field, ModelAdmin, model."""
    empty = cl.model_admin.get_empty_value_display()
    field = _field(cl, name)
    if field is not None:
        return lambda row: conditional_escape(_text_of_field(field, row, empty))
    method = getattr(cl.model_admin, name, None) if name != "__str__" else None
    is_boolean = getattr(method, "boolean", False)
    empty = getattr(method, "empty_value_display", empty)

    def text_of(row: Any) -> str:
        value = method(row) if method is not None else lookup_field(name, row, cl.model_admin)[2]
        if isinstance(value, str) and not is_boolean:
            return escaped(value if value.strip() else empty)
        return conditional_escape(display_for_value(value, empty, is_boolean))

    return text_of


def _text_of_field(field: Any, row: Any, empty: Any) -> Any:
    try:
        value = getattr(row, field.name)
    except ObjectDoesNotExist:
        return empty
    if isinstance(field.remote_field, models.ManyToOneRel):
        return empty if value is None else value
    value = "" if isinstance(value, str) and not value.strip() else value
    return display_for_field(value, field, empty)
