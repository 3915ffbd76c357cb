from django.db import migrations, models
from django.db.models import Q

from crm_project.records.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0009_add_folded_company_name")]
    operations = [
        AddIndexConcurrently(
            "contact",
            models.Index(
                fields=["organization", "name_folded"],
                condition=Q(kind="company", deleted_at=None),
                name="contacts_contact_name_folded",
            ),
        ),
    ]
