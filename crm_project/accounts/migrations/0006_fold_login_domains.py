from django.db import migrations
from django.db.models import Q

from crm_project.emails import fold_email
from crm_project.records.operations import FillInBatches


def fold(logins):
    """An address whose folded form another login has stays as it is, and cannot sign in until one is changed."""
    for row in logins:
        folded = fold_email(row.email)
        if folded != row.email and not type(row)._base_manager.filter(email=folded).exists():
            logins.filter(pk=row.pk).update(email=folded)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0005_guess_organization_country")]
    operations = [FillInBatches("User", Q(email__contains="xn--"), fold)]
