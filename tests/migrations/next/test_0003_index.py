from django.db import migrations, models

from crm_project.records.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deals", "test_0002_fill")]
    operations = [
        AddIndexConcurrently(
            "deal", models.Index(fields=["organization", "test_region"], name="deals_deal_test_index")
        )
    ]
