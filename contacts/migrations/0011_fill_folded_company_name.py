from django.db import migrations
from django.db.models import Q

from contacts.rules import company_key
from crm_project.records.bulk_sql import update_rows
from crm_project.records.operations import FillInBatches


def fill(companies):
    rows = list(companies)
    for row in rows:
        row.name_folded = company_key(row.name)[:255]
    update_rows(rows, ["name_folded"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0010_index_folded_company_name")]
    operations = [FillInBatches("Contact", Q(kind="company", name_folded=""), fill)]
