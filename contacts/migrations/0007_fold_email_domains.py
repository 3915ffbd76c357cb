from django.db import migrations
from django.db.models import Q

from crm_project.emails import fold_email
from crm_project.records.operations import FillInBatches


def fold(contacts):
    """An address whose folded form another live contact has stays as it is, for people to merge."""
    for row in contacts:
        folded = fold_email(row.email)
        same = type(row)._base_manager.filter(
            organization=row.organization_id, kind=row.kind, email=folded, deleted_at=None
        )
        if folded != row.email and not same.exists():
            contacts.filter(pk=row.pk).update(email=folded)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0006_fill_phones_and_search")]
    operations = [FillInBatches("Contact", Q(email__contains="xn--"), fold)]
