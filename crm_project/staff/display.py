"""Values in lists and panels: money, dates, ages, stages as coloured chips."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from html import escape
from typing import Any

from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm_project.languages.caching import cached_by_language
from crm_project.languages.figures import number
from crm_project.staff.addresses import row_address

NOTHING = "—"


def html(template: str, *texts: str) -> SafeString:
    """`format_html` for texts and nothing else: it would ask of each whether it is a lazy one, in every cell."""
    return SafeString(template.format(*[escaped(text) for text in texts]))


def escaped(text: str) -> str:
    """The text as HTML; HTML as it is."""
    return text if isinstance(text, SafeString) else escape(text)


def money(amount: Decimal | None, currency: str, decimals: int = 2) -> SafeString | str:
    """`15,000.50 EUR`; whole amounts without decimals."""
    if amount is None:
        return NOTHING
    return html('<span class="crm-money">{} <span>{}</span></span>', number(amount, decimals), currency)


def without_rate(count: int) -> str:
    """How many deals are not in a sum, since their currencies have no rate."""
    text = ngettext("%(count)s without a rate", "%(count)s without a rate", count)
    return text % {"count": number(count)}


def percent(value: Decimal | int) -> str:
    """`12.5%`, as the language of the page writes it."""
    return _("%(number)s%%") % {"number": number(value, 1)}


@lru_cache(maxsize=1024, typed=True)
def chip(text: str, color: str) -> SafeString:
    """A coloured label; `color` is #rrggbb, which is validated before it is stored."""
    return format_html('<span class="crm-chip" style="--chip: {}">{}</span>', color, text)


def text_color_on(color: str) -> str:
    """White on a dark #rrggbb, black on a light one: the better contrast by WCAG's relative luminance."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return "#000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#fff"


def clipped(text: str) -> SafeString:
    """The first two lines of a text, with the whole text as a tooltip."""
    return format_html('<span class="crm-clip" title="{0}">{0}</span>', text)


def joined(parts: Sequence[SafeString | str]) -> SafeString:
    return format_html_join(" ", "{}", ((part,) for part in parts))


def titled(text: str, icon: str = "") -> SafeString | str:
    """A name, with an icon for a private row."""
    if not icon:
        return text
    return format_html(
        '{} <span class="material-symbols-outlined crm-icon" title="{}">{}</span>', text, _("Private"), icon
    )


def iconed(text: str, icon: str, hint: str) -> SafeString:
    """A text after an icon; `hint` is the icon's tooltip."""
    return html(
        '<span class="crm-iconed"><span class="material-symbols-outlined crm-icon" title="{}">{}</span> {}</span>',
        hint,
        icon,
        text,
    )


def yes_or_no(value: bool) -> str:
    return _("Yes") if value else _("No")


STATUS_TONES = {"open": "info", "won": "good", "lost": "bad", "abandoned": "muted"}


@lru_cache(maxsize=1024, typed=True)
def status(value: str, label: str) -> SafeString:
    return format_html(
        '<span class="crm-tone crm-tone-{}">{}</span>', STATUS_TONES.get(value, "muted"), label
    )


def warning(text: str) -> SafeString:
    return format_html('<span class="crm-tone crm-tone-warn">{}</span>', text)


def day(value: datetime.date | None, *, late: bool = False) -> SafeString | str:
    if value is None:
        return NOTHING
    return _late_day(value) if late else _day(value)


@cached_by_language
def _day(value: datetime.date) -> str:
    return formats.date_format(value, "DATE_FORMAT")


@cached_by_language
def _late_day(value: datetime.date) -> SafeString:
    return format_html('<span class="crm-late" title="{}">{}</span>', _("Overdue"), _day(value))


def instant(value: datetime.datetime, *, late: bool = False) -> SafeString:
    """The day and the time in the current time zone."""
    local = timezone.localtime(value)
    return html("{} {}", day(local.date(), late=late), f"{local:%H:%M}")


def age(since: datetime.datetime, now: datetime.datetime) -> SafeString:
    """The age in whole days."""
    return _age(timezone.localdate(since), max(0, (now - since).days))


@cached_by_language
def _age(since: datetime.date, days: int) -> SafeString:
    text = ngettext("%(count)s day", "%(count)s days", days) % {"count": days} if days else _("today")
    return format_html('<span title="{}">{}</span>', _day(since), text)


def mail(address: str) -> SafeString | str:
    return html('<a class="crm-link" href="mailto:{0}">{0}</a>', address) if address else NOTHING


def phone(number: str) -> SafeString | str:
    return html('<a class="crm-link" href="tel:{0}">{0}</a>', number) if number else NOTHING


def web(address: str) -> SafeString | str:
    """A link to another site, if the address is http or https; else the text."""
    if not address.lower().startswith(("http://", "https://")):
        return address or NOTHING
    text = address.split("://", 1)[1].removesuffix("/")
    return format_html(
        '<a class="crm-link" href="{}" target="_blank" rel="noopener noreferrer">{}</a>', address, text
    )


def anchor(url: str, text: str) -> SafeString:
    return html('<a class="crm-link" href="{}">{}</a>', url, text)


def link(row: Any, text: str = "") -> SafeString | str:
    """A link to the page of the row in the admin."""
    if row is None:
        return NOTHING
    return anchor(row_address(row), text or str(row))
