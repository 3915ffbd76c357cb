from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0008_fill_search_by_company'),
    ]

    operations = [
        migrations.AddField(
            model_name='contact',
            name='name_folded',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=255),
        ),
    ]
