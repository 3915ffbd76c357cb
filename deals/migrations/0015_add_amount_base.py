"""The amount of a deal in the currency of its organization."""

from django.db import migrations

import crm_project.records.fields


class Migration(migrations.Migration):
    dependencies = [("deals", "0014_add_forecast_category")]

    operations = [
        migrations.AddField(
            "deal", "amount_base", crm_project.records.fields.MoneyField(blank=True, editable=False, null=True)
        )
    ]
