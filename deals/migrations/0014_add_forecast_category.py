"""The forecast category of a deal."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("deals", "0013_index_next_step"),
    ]

    operations = [
        migrations.AddField(
            model_name="deal",
            name="forecast_category",
            field=models.CharField(blank=True, choices=[("commit", "Commit"), ("best_case", "Best case"), ("pipeline", "Pipeline"), ("omitted", "Omitted")], max_length=16, null=True),
        ),
    ]
