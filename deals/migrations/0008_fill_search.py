from django.db import migrations
from django.db.models import Q

from crm_project.records.bulk_sql import update_rows
from crm_project.records.operations import FillInBatches
from crm_project.records.text import END
from deals.models import deal_search_text


def fill(deals):
    # The rows are locked: what is joined to them must not be.
    rows = list(deals.prefetch_related("contact__company", "client"))
    for row in rows:
        row.search_text = deal_search_text(row)
    update_rows(rows, ["search_text"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0007_fold_email_domains"), ("deals", "0007_index_lists")]
    operations = [FillInBatches("Deal", ~Q(search_text__endswith=END), fill)]
