"""The next open activity of a deal."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deals", "0011_index_board")]

    operations = [
        migrations.AddField(
            "deal", "next_activity", models.UUIDField(blank=True, editable=False, null=True)
        ),
        migrations.AddField(
            "deal", "next_due_at", models.DateTimeField(blank=True, editable=False, null=True)
        ),
    ]
