from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0008_add_activity_exports'),
    ]

    operations = [
        migrations.AddField(
            model_name='export',
            name='layout',
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
