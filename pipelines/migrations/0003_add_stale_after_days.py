"""The days after which an open deal of a stage is stale."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("pipelines", "0002_add_forecast_category"),
    ]

    operations = [
        migrations.AddField(
            model_name="stage",
            name="stale_after_days",
            field=models.IntegerField(blank=True, null=True),
        ),
    ]
