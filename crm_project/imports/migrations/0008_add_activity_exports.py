from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0007_add_activity_imports'),
    ]

    operations = [
        migrations.AlterField(
            model_name='export',
            name='kind',
            field=models.CharField(choices=[('deals', 'Deals'), ('contacts', 'Contacts'), ('activities', 'Activities')], max_length=16),
        ),
    ]
