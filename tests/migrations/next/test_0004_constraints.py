from django.db import migrations, models

from crm_project.records.constraints import SameOrganization
from crm_project.records.operations import AddConstraintConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deals", "test_0003_index")]
    operations = [
        AddConstraintConcurrently(
            "deal",
            models.CheckConstraint(
                condition=models.Q(test_fillings=None) | models.Q(test_fillings=1),
                name="deals_deal_test_check",
            ),
        ),
        AddConstraintConcurrently("deal", SameOrganization(field="owner", name="deals_deal_test_same")),
        AddConstraintConcurrently(
            "deal",
            models.UniqueConstraint(fields=["organization", "id", "test_region"], name="deals_deal_test_unique"),
        ),
        AddConstraintConcurrently(
            "deal",
            models.UniqueConstraint(
                fields=["id"], condition=models.Q(test_region="eur"), name="deals_deal_test_partial"
            ),
        ),
    ]
