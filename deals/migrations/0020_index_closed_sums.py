"""An index for sums of closed deals."""

from django.db import migrations, models

from crm_project.records.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deals", "0019_index_pause")]
    operations = [
        AddIndexConcurrently(
            "deal",
            models.Index(
                fields=[
                    *("organization", "closed_at", "status", "currency", "owner", "lost_reason", "stage"),
                    *("amount", "amount_base", "amount_gross", "is_private", "created_by", "created_at", "id"),
                ],
                condition=models.Q(deleted_at=None, closed_at__isnull=False),
                name="deals_deal_closed_sums",
            ),
        ),
    ]
