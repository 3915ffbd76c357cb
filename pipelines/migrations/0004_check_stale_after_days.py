"""The range of the days after which a deal is stale."""

from django.db import migrations, models

from crm_project.records.operations import AddConstraintConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("pipelines", "0003_add_stale_after_days")]

    operations = [
        AddConstraintConcurrently(
            "stage",
            models.CheckConstraint(
                condition=models.Q(stale_after_days=None)
                | models.Q(stale_after_days__gte=1, stale_after_days__lte=3650),
                name="pipelines_stage_stale_after_days",
            ),
        ),
    ]
