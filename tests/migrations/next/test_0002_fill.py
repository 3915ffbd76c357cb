from django.db import migrations
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Lower

from crm_project.records.operations import FillInBatches


def fill(deals):
    deals.update(test_region=Lower("currency"), test_fillings=Coalesce(F("test_fillings"), 0) + 1)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deals", "test_0001_add_columns")]
    # Small batches, so that the test finds a moment to kill the process.
    operations = [FillInBatches("Deal", Q(test_region=None), fill, size=20)]
