"""The open deals of a stage in the order of the board."""

from django.db import migrations, models

from crm_project.records.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("deals", "0010_index_participants")]

    operations = [
        AddIndexConcurrently(
            "deal",
            models.Index(
                fields=["stage", "-stage_entered_at", "-id"],
                condition=models.Q(deleted_at=None, status="open"),
                name="deals_deal_board",
            ),
        ),
    ]
