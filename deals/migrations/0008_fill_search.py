from django.db import migrations
from django.db.models import Q

from crm_project.records.bulk_sql import update_rows
from crm_project.records.operations import FillInBatches
from crm_project.records.text import END, own_text, search_text


def fill(deals):
    # The rows are locked: what is joined to them must not be.
    rows = list(deals.prefetch_related("contact__company", "client"))
    for row in rows:
        company = row.client or (row.contact and row.contact.company)
        others = [own_text(other.search_text) for other in dict.fromkeys((row.contact, company)) if other]
        row.search_text = "".join([search_text([row.name, row.description, row.number]), *others])
    update_rows(rows, ["search_text"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0007_fold_email_domains"), ("deals", "0007_index_lists")]
    operations = [FillInBatches("Deal", ~Q(search_text__endswith=END), fill)]
