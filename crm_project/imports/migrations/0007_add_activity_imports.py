from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0006_add_sheets_and_undo_unchanged'),
    ]

    operations = [
        migrations.AlterField(
            model_name='import',
            name='kind',
            field=models.CharField(choices=[('deals', 'Deals'), ('contacts', 'Contacts'), ('activities', 'Activities')], max_length=16),
        ),
    ]
