from django.db import migrations, models
from django.db.models import Q

from crm_project.records.constraints import SameOrganization
from crm_project.records.operations import AddConstraintConcurrently, AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0013_add_merged_into")]
    operations = [
        AddIndexConcurrently(
            "contact",
            models.Index(
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="contacts_contact_merged_into",
            ),
        ),
        AddConstraintConcurrently(
            "contact",
            SameOrganization(field="merged_into", name="contacts_contact_merged_into_same_org"),
        ),
    ]
