"""The deals of a participant, for the check when a contact is removed for good."""

from django.db import migrations, models

from crm_project.records.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("deals", "0009_index_unowned")]

    operations = [
        AddIndexConcurrently(
            "dealcontact", models.Index(fields=["contact"], name="deals_dealcontact_contact")
        ),
    ]
