from django.db import migrations
from django.db.models import Q

from contacts.models import refresh_phones_and_search
from crm_project.records.bulk_sql import update_rows
from crm_project.records.operations import FillInBatches
from crm_project.records.text import END


def fill(contacts):
    rows = list(contacts.select_related("organization"))
    for row in rows:
        refresh_phones_and_search(row, row.organization.country)
    update_rows(rows, ["phone_normalized", "mobile_normalized", "search_text"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0005_index_normalized_phones")]
    operations = [FillInBatches("Contact", ~Q(search_text__endswith=END), fill)]
