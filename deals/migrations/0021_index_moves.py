"""An index for the funnel: the states since the beginning of a period."""

from django.db import migrations, models

from crm_project.records.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deals", "0020_index_closed_sums")]
    operations = [
        AddIndexConcurrently(
            "dealstate",
            models.Index(
                fields=["organization", "valid_to", "valid_from", "deal", "stage", "status", "deleted_at"],
                name="deals_dealstate_moves",
            ),
        ),
    ]
