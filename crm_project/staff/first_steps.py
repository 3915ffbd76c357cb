"""The guide through the first steps of an organization, as the site uses it; the setup app sets the hooks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern


@dataclass
class Hooks:
    # urls(site) -> the pages of the guide
    urls: Callable[[Any], Sequence[URLPattern]] = lambda site: ()
    # on_home(request, has deals) -> the guide as the home page shows it; None if it is not offered
    on_home: Callable[[HttpRequest, bool], Mapping[str, Any] | None] = lambda request, has_deals: None
    # first_page(request) -> where a first sign-in leads instead of the home page; empty if it leads there
    first_page: Callable[[HttpRequest], str] = lambda request: ""


hooks = Hooks()
