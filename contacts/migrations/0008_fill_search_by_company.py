from django.db import migrations
from django.db.models import Q

from crm_project.records.bulk_sql import update_rows
from crm_project.records.operations import FillInBatches
from crm_project.records.text import RELATED, own_text


def fill(contacts):
    """People are found by their company, too; deals are found by it already."""
    rows = list(contacts.select_related("company"))
    for row in rows:
        row.search_text = own_text(row.search_text) + RELATED + own_text(row.company.search_text)
    update_rows(rows, ["search_text"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0007_fold_email_domains")]
    operations = [
        FillInBatches("Contact", Q(company__isnull=False) & ~Q(search_text__contains=RELATED), fill)
    ]
