import crm_project.records.constraints
import crm_project.records.fields
import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Counter',
            fields=[
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='accounts.organization')),
                ('last', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('sequence', models.BigIntegerField()),
                ('change_set', models.UUIDField(default=uuid.uuid4)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('actor', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.member')),
                ('token_uuid', models.UUIDField(blank=True, null=True)),
                ('kind', models.CharField(max_length=32)),
                ('action', models.CharField(max_length=16)),
                ('row_id', models.BigIntegerField()),
                ('row_uuid', models.UUIDField()),
                ('row_version', models.PositiveIntegerField()),
                ('changes', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder)),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'kind', 'row_id', '-sequence'], name='journal_event_of_row'), models.Index(fields=['organization', 'change_set'], name='journal_event_change_set')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'sequence'), name='journal_event_sequence'), crm_project.records.constraints.SameOrganization(field='actor', name='journal_event_actor_same_org')],
            },
        ),
    ]
