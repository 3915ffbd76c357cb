from zoneinfo import available_timezones

from django.db import migrations
from django.db.models import Q

from crm_project.accounts.countries import country_of_zone
from crm_project.records.operations import FillInBatches

ZONES = sorted(zone for zone in available_timezones() if country_of_zone(zone))


def guess(organizations):
    for organization in organizations:
        organization.country = country_of_zone(organization.time_zone)
        organization.save(update_fields=["country"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0004_add_organization_country")]
    operations = [FillInBatches("Organization", Q(country="", time_zone__in=ZONES), guess)]
