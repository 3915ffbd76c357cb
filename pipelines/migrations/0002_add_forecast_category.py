"""The forecast category of a stage."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("pipelines", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="stage",
            name="forecast_category",
            field=models.CharField(choices=[("commit", "Commit"), ("best_case", "Best case"), ("pipeline", "Pipeline"), ("omitted", "Omitted")], db_default="pipeline", default="pipeline", max_length=16),
        ),
    ]
