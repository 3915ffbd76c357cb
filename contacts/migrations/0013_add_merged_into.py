import django.db.models.deletion
from django.db import migrations

import crm_project.records.fields


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0012_add_further_addresses'),
    ]

    operations = [
        migrations.AddField(
            model_name='contact',
            name='merged_into',
            field=crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.contact'),
        ),
    ]
