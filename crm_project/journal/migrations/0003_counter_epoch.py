from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0002_undoes"),
    ]

    operations = [
        migrations.AddField(
            model_name="counter",
            name="epoch",
            field=models.UUIDField(blank=True, null=True),
        ),
    ]
