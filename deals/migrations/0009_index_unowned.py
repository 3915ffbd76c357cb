"""The deals without an owner, newest first: few rows of a long list."""

from django.db import migrations, models

from crm_project.records.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("deals", "0008_fill_search")]

    operations = [
        AddIndexConcurrently(
            "deal",
            models.Index(
                condition=models.Q(("deleted_at", None), ("owner", None)),
                fields=["organization", "-created_at", "-id"],
                name="deals_deal_unowned",
            ),
        ),
    ]
