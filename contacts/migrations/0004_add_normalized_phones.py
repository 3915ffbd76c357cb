from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_guess_organization_country'),
        ('contacts', '0003_index_lists'),
    ]

    operations = [
        migrations.AddField(
            model_name='contact',
            name='phone_normalized',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=255),
        ),
        migrations.AddField(
            model_name='contact',
            name='mobile_normalized',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=255),
        ),
    ]
