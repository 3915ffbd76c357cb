import crm_project.records.constraints
import crm_project.records.fields
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
            name='Pipeline',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('is_default', models.BooleanField(default=False)),
                ('is_active', models.BooleanField(default=True)),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'created_at', 'id'], name='pipelines_pipeline_oldest')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'id'), name='pipelines_pipeline_organization_id'), models.UniqueConstraint(condition=models.Q(('deleted_at', None), ('is_default', True)), fields=('organization',), name='pipelines_pipeline_one_default')],
            },
        ),
        migrations.CreateModel(
            name='Stage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('pipeline', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='stages', to='pipelines.pipeline')),
                ('name', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('position', models.PositiveIntegerField(blank=True, null=True)),
                ('color', models.CharField(default='#64748b', max_length=7)),
                ('probability', models.PositiveSmallIntegerField(default=10)),
                ('kind', models.CharField(choices=[('open', 'Open'), ('won', 'Won'), ('lost', 'Lost')], default='open', max_length=8)),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'created_at', 'id'], name='pipelines_stage_oldest')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'id'), name='pipelines_stage_organization_id'), crm_project.records.constraints.SameOrganization(field='pipeline', name='pipelines_stage_pipeline_same_org'), models.UniqueConstraint(fields=('pipeline', 'position'), name='pipelines_stage_position'), models.CheckConstraint(condition=models.Q(models.Q(('deleted_at', None), ('position__isnull', False)), models.Q(('deleted_at__isnull', False), ('position', None)), _connector='OR'), name='pipelines_stage_trashed_has_no_position'), models.CheckConstraint(condition=models.Q(('probability__lte', 100)), name='pipelines_stage_probability'), models.CheckConstraint(condition=models.Q(('kind__in', ['open', 'won', 'lost'])), name='pipelines_stage_kind')],
            },
        ),
        migrations.CreateModel(
            name='PipelineReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('system', models.CharField(max_length=255)),
                ('external_id', models.CharField(max_length=255)),
                ('is_live', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('row', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=True, on_delete=django.db.models.deletion.PROTECT, related_name='references', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('organization', 'system', 'external_id'), name='pipelines_pipelinereference_live_key'), crm_project.records.constraints.SameOrganization(field='row', name='pipelines_pipelinereference_row_same_org')],
            },
        ),
        migrations.CreateModel(
            name='StageReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('system', models.CharField(max_length=255)),
                ('external_id', models.CharField(max_length=255)),
                ('is_live', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('row', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=True, on_delete=django.db.models.deletion.PROTECT, related_name='references', to='pipelines.stage')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('organization', 'system', 'external_id'), name='pipelines_stagereference_live_key'), crm_project.records.constraints.SameOrganization(field='row', name='pipelines_stagereference_row_same_org')],
            },
        ),
    ]
