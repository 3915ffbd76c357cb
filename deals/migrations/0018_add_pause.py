"""The pause of a deal: its last day and its reason."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("deals", "0017_index_sums"),
    ]

    operations = [
        migrations.AddField(
            model_name="deal",
            name="paused_until",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="deal",
            name="pause_reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=255),
        ),
    ]
