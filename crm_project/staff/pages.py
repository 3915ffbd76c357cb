"""Pages of the admin that are neither a change list nor the form of a row."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse


def render_page(
    admin: Any, request: HttpRequest, template: str, *, status: int = 200, **context: Any
) -> TemplateResponse:
    """A page of a ModelAdmin, with what every page of the site has."""
    everywhere = {**admin.admin_site.each_context(request), "opts": admin.opts}
    return TemplateResponse(request, template, {**everywhere, **context}, status=status)


def remove_indentation(page: Any) -> None:
    """A sixth of a list and a quarter of a board is the indentation of templates; nothing on them is preformatted."""
    page.content = b"\n".join(filter(None, map(bytes.strip, page.content.split(b"\n"))))
