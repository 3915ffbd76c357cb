"""Indexes for sums of open deals and for lists by the amount in the organization's currency."""

from django.db import migrations, models

from crm_project.records.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deals", "0016_fill_amount_base")]
    operations = [
        AddIndexConcurrently(
            "deal",
            models.Index(
                fields=["organization", "amount_base", "id"],
                condition=models.Q(deleted_at=None),
                name="deals_deal_by_amount_base",
            ),
        ),
        AddIndexConcurrently(
            "deal",
            models.Index(
                fields=[
                    *("organization", "stage", "status", "currency", "owner", "expected_close_date", "forecast_category"),
                    *("probability", "amount", "amount_base", "amount_gross"),
                    *("is_private", "created_by", "stage_entered_at", "id"),
                ],
                condition=models.Q(deleted_at=None, status="open"),
                name="deals_deal_open_sums",
            ),
        ),
    ]
