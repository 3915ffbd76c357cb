from django.db import migrations, models
from django.db.models import Q

from crm_project.records.operations import AddIndexConcurrently


def index(column, name):
    return models.Index(
        fields=["organization", column], condition=Q(deleted_at=None) & ~Q(**{column: ""}), name=name
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0004_add_normalized_phones")]
    operations = [
        AddIndexConcurrently("contact", index("phone_normalized", "contacts_contact_phone")),
        AddIndexConcurrently("contact", index("mobile_normalized", "contacts_contact_mobile")),
    ]
