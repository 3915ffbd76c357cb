"""The paused deals, which are few, and the rule that a pause has a reason."""

from django.db import migrations, models

from crm_project.records.operations import AddConstraintConcurrently, AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("deals", "0018_add_pause")]

    operations = [
        AddIndexConcurrently(
            "deal",
            models.Index(
                fields=["organization", "paused_until", "id"],
                condition=models.Q(deleted_at=None, paused_until__isnull=False),
                name="deals_deal_paused_until",
            ),
        ),
        AddConstraintConcurrently(
            "deal",
            models.CheckConstraint(
                condition=models.Q(paused_until=None, pause_reason="")
                | (models.Q(paused_until__isnull=False) & ~models.Q(pause_reason="")),
                name="deals_deal_pause",
            ),
        ),
    ]
