from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0003_counter_epoch"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="import_uuid",
            field=models.UUIDField(blank=True, null=True),
        ),
    ]
