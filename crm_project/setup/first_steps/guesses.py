"""What the browser of the first admin suggests about an organization: its time zone, country, currency and language."""

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from crm_project.accounts.countries import (
    countries,
    country_of_zone,
    currency_of_country,
    languages,
    time_zones,
)
from crm_project.accounts.models import Organization

ZONE = "zone"


def is_untouched(organization: Organization) -> bool:
    """Whether the organization still has the default time zone and no country."""
    return organization.time_zone == "UTC" and not organization.country


def guesses(request: HttpRequest) -> dict[str, str]:
    """Values for fields of the organization. The script of the page sends the time zone; headers have none."""
    zone = request.GET.get(ZONE, "")
    tags = [tag for tag, _priority in parse_accept_lang_header(request.headers.get("Accept-Language", ""))]
    tag = next(iter(tags), "")
    country = (country_of_zone(zone) if zone in time_zones() else "") or tag.partition("-")[2].upper()
    found = {
        "time_zone": zone if zone in time_zones() else "",
        "country": country if country in countries() else "",
        "language": tag.partition("-")[0] if tag.partition("-")[0] in languages() else "",
    }
    found["currency"] = currency_of_country(found["country"])
    return {name: value for name, value in found.items() if value}
