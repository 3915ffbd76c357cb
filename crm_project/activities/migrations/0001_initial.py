"""The table of activities, and that of their external references."""

import crm_project.records.constraints
import crm_project.records.fields
import crm_project.records.indexes
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0008_add_token_password_digest'),
        ('contacts', '0008_fill_search_by_company'),
        ('deals', '0013_index_next_step'),
    ]

    operations = [
        migrations.CreateModel(
            name='Activity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('type', models.CharField(choices=[('call', 'Call'), ('meeting', 'Meeting'), ('email', 'E-mail'), ('task', 'Task'), ('note', 'Note')], default='task', max_length=8)),
                ('subject', models.CharField(blank=True, max_length=255)),
                ('text', models.TextField(blank=True)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('due_on', models.DateField(blank=True, null=True)),
                ('deadline', models.DateTimeField(blank=True, editable=False, null=True)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('result', models.CharField(blank=True, max_length=255)),
                ('is_pinned', models.BooleanField(default=False)),
                ('search_text', models.TextField(blank=True, editable=False)),
                ('contact', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='activities', to='contacts.contact')),
                ('deal', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='activities', to='deals.deal')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('owner', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.member')),
            ],
            options={
                'verbose_name_plural': 'activities',
            },
        ),
        migrations.CreateModel(
            name='ActivityReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('system', models.CharField(max_length=255)),
                ('external_id', models.CharField(max_length=255)),
                ('is_live', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('row', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=True, on_delete=django.db.models.deletion.PROTECT, related_name='references', to='activities.activity')),
            ],
            options={
                'ordering': ['id'],
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['organization', '-created_at', '-id'], name='activities_newest'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['organization', '-updated_at', '-id'], name='activities_updated'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['organization', 'deadline', 'id'], name='activities_by_deadline'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(condition=models.Q(('deleted_at', None), ('done_at', None)), fields=['organization', 'owner', 'deadline', 'id'], name='activities_open_of_owner'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(fields=['organization', 'deal', '-id'], name='activities_of_deal'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(fields=['organization', 'contact', '-id'], name='activities_of_contact'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['organization', 'deleted_at'], name='activities_trash'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=crm_project.records.indexes.SearchIndex(name='activities_search'),
        ),
        migrations.AddConstraint(
            model_name='activity',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='activities_activity_organization_id'),
        ),
        migrations.AddConstraint(
            model_name='activity',
            constraint=crm_project.records.constraints.SameOrganization(field='owner', name='activities_activity_owner_same_org'),
        ),
        migrations.AddConstraint(
            model_name='activity',
            constraint=crm_project.records.constraints.SameOrganization(field='deal', name='activities_activity_deal_same_org'),
        ),
        migrations.AddConstraint(
            model_name='activity',
            constraint=crm_project.records.constraints.SameOrganization(field='contact', name='activities_activity_contact_same_org'),
        ),
        migrations.AddConstraint(
            model_name='activity',
            constraint=models.CheckConstraint(condition=models.Q(('deal__isnull', False), ('contact__isnull', False), _connector='OR'), name='activities_activity_parent'),
        ),
        migrations.AddConstraint(
            model_name='activity',
            constraint=models.CheckConstraint(condition=models.Q(('due_at', None), ('due_on', None), _connector='OR'), name='activities_activity_one_due'),
        ),
        migrations.AddConstraint(
            model_name='activity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('type', 'note'), _negated=True), models.Q(('done_at__isnull', False), ('due_at', None), ('due_on', None)), _connector='OR'), name='activities_activity_note'),
        ),
        migrations.AddIndex(
            model_name='activityreference',
            index=models.Index(condition=models.Q(('is_live', True)), fields=['organization', 'created_at', 'id'], name='activities_reference_oldest'),
        ),
        migrations.AddConstraint(
            model_name='activityreference',
            constraint=models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('organization', 'system', 'external_id'), name='activities_activityreference_live_key'),
        ),
        migrations.AddConstraint(
            model_name='activityreference',
            constraint=crm_project.records.constraints.SameOrganization(field='row', name='activities_activityreference_row_same_org'),
        ),
    ]
