"""The icons that pages name are in the font file, which has no others."""

import datetime
import re
from pathlib import Path

import unfold
from django.contrib import admin
from django.db.models import Q

from crm_project.environment import BASE_DIR
from crm_project.staff.theme import SECTIONS
from deals.admin.work import work_lists

THEME = Path(unfold.__file__).parent
IN_TEMPLATES = re.compile(r"material-symbols-outlined[^>]*>\s*([a-z_0-9]+)\s*<")
IN_CODE = re.compile(r'icon"?\s*[:=]\s*"([a-z_]+)"')
IN_STYLES = re.compile(r'content:"([a-z_]+)"')


def named():
    for folder in (THEME / "templates", BASE_DIR / "templates"):
        for path in folder.rglob("*.html"):
            yield from IN_TEMPLATES.findall(path.read_text())
    yield from IN_STYLES.findall((THEME / "static" / "unfold" / "css" / "styles.css").read_text())
    for package in ("crm_project", "contacts", "pipelines", "deals"):
        for path in (BASE_DIR / package).rglob("*.py"):
            yield from IN_CODE.findall(path.read_text())
    yield from (icon for _, entries in SECTIONS for _, icon, _, _ in entries)
    yield from (one.icon for one in work_lists(datetime.date(2026, 1, 31), Q()))
    for page in admin.site._registry.values():
        yield from (icon for tools in getattr(page, "list_tools", {}).values() for _, icon, _, _ in tools)


def test_every_icon_that_is_named_is_in_the_font():
    known = set((BASE_DIR / "crm_project" / "staff" / "icons.txt").read_text().split())

    assert set(named()) <= known, "add it to crm_project/staff/icons.txt and run tests.browser.fonts"
