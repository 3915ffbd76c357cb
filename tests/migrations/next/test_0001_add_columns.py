from django.db import migrations, models

from tests.migrations.next import LATEST


class Migration(migrations.Migration):
    dependencies = [("deals", LATEST)]
    operations = [
        migrations.AddField("deal", "test_region", models.CharField(max_length=50, null=True)),
        migrations.AddField("deal", "test_fillings", models.IntegerField(null=True)),
    ]
