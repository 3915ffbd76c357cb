"""Fill the amounts of deals in the currency of their organization; other currencies need rates."""

from django.db import migrations
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.lookups import Exact

from crm_project.accounts.models import Organization
from crm_project.records.operations import FillInBatches

OWN_CURRENCY = Subquery(Organization.objects.filter(pk=OuterRef("organization_id")).values("currency"))


def fill(deals):
    deals.update(amount_base=F("amount"))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deals", "0015_add_amount_base"), ("accounts", "0008_add_token_password_digest")]
    operations = [
        FillInBatches(
            "Deal",
            Q(Exact(F("currency"), OWN_CURRENCY), amount__isnull=False, amount_base=None),
            fill,
        )
    ]
