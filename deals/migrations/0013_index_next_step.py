"""The deals with a next step in the order of their due dates."""

from django.db import migrations, models

from crm_project.records.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("deals", "0012_add_next_step")]

    operations = [
        AddIndexConcurrently(
            "deal",
            models.Index(
                fields=["organization", "next_due_at", "id"],
                condition=models.Q(deleted_at=None, next_due_at__isnull=False),
                name="deals_deal_next_due",
            ),
        ),
    ]
