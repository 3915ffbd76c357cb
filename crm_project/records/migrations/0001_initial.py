import crm_project.records.constraints
import crm_project.records.fields
import django.contrib.postgres.operations
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
        django.contrib.postgres.operations.TrigramExtension(
        ),
        migrations.CreateModel(
            name='CustomField',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('kind', models.CharField(choices=[('deal', 'Deal'), ('contact', 'Contact')], max_length=16)),
                ('key', models.CharField(max_length=63)),
                ('label', models.CharField(max_length=255)),
                ('type', models.CharField(choices=[('text', 'Text'), ('textarea', 'Textarea'), ('number', 'Number'), ('select', 'Select'), ('multiselect', 'Multiselect'), ('checkbox', 'Checkbox'), ('date', 'Date'), ('heading', 'Heading')], max_length=16)),
                ('options', models.JSONField(blank=True, default=list)),
                ('mask', models.CharField(blank=True, max_length=255)),
                ('position', models.PositiveIntegerField(default=0)),
                ('required', models.BooleanField(default=False)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'id'), name='records_customfield_organization_id'), models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('organization', 'kind', 'key'), name='records_customfield_live_key')],
            },
        ),
        migrations.CreateModel(
            name='OrganizationReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('system', models.CharField(max_length=255)),
                ('external_id', models.CharField(max_length=255)),
                ('is_live', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('row', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='references', to='accounts.organization')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('organization', 'system', 'external_id'), name='records_organizationreference_live_key')],
            },
        ),
        migrations.CreateModel(
            name='MemberReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('system', models.CharField(max_length=255)),
                ('external_id', models.CharField(max_length=255)),
                ('is_live', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('row', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=True, on_delete=django.db.models.deletion.PROTECT, related_name='references', to='accounts.member')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('organization', 'system', 'external_id'), name='records_memberreference_live_key'), crm_project.records.constraints.SameOrganization(field='row', name='records_memberreference_row_same_org')],
            },
        ),
        migrations.CreateModel(
            name='CustomFieldReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('system', models.CharField(max_length=255)),
                ('external_id', models.CharField(max_length=255)),
                ('is_live', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('row', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=True, on_delete=django.db.models.deletion.PROTECT, related_name='references', to='records.customfield')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('organization', 'system', 'external_id'), name='records_customfieldreference_live_key'), crm_project.records.constraints.SameOrganization(field='row', name='records_customfieldreference_row_same_org')],
            },
        ),
    ]
