"""The table of a change list, without the classes that the theme repeats in every cell."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.templatetags.admin_list import items_for_result
from django.contrib.admin.utils import label_for_field
from django.template import Library
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from unfold.templatetags.unfold_list import result_headers

register = Library()


@register.inclusion_tag("admin/list_table.html", takes_context=True)
def staff_result_list(context: dict[str, Any], cl: Any) -> dict[str, Any]:
    labels = [_label(cl, name) for name in cl.list_display]
    return {
        "cl": cl,
        "result_headers": list(result_headers(cl)),
        "rows": [list(_cells(cl, row, labels)) for row in cl.result_list],
        "has_add_permission": context.get("has_add_permission"),
        "is_popup": cl.is_popup,
        "to_field": cl.to_field,
    }


def _label(cl: Any, name: str) -> str:
    """The header of a column, which a narrow screen shows beside each value."""
    if name == "action_checkbox":
        return ""
    label: Any = label_for_field(name, cl.model, model_admin=cl.model_admin)
    return str(capfirst(label))


def _cells(cl: Any, row: Any, labels: list[str]) -> Iterator[SafeString]:
    for label, cell in zip(labels, items_for_result(cl, row, None), strict=True):
        text = str(cell)
        yield mark_safe(f'{text[:3]} data-label="{escape(label)}"{text[3:]}' if label else text)
