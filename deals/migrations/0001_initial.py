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
        ('accounts', '0001_initial'),
        ('contacts', '0001_initial'),
        ('pipelines', '0001_initial'),
        ('records', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='LostReason',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('name', models.CharField(max_length=255)),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'created_at', 'id'], name='deals_lostreason_oldest')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'id'), name='deals_lostreason_organization_id'), models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('organization', 'name'), name='deals_lostreason_live_name')],
            },
        ),
        migrations.CreateModel(
            name='Deal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('description', models.TextField(blank=True)),
                ('amount', crm_project.records.fields.MoneyField(blank=True, null=True)),
                ('amount_gross', crm_project.records.fields.MoneyField(blank=True, null=True)),
                ('tax_rate', models.CharField(blank=True, max_length=255)),
                ('currency', models.CharField(max_length=3)),
                ('bid_type', models.CharField(choices=[('fixed', 'Fixed'), ('hour', 'Hour'), ('day', 'Day'), ('week', 'Week'), ('month', 'Month'), ('year', 'Year')], default='fixed', max_length=8)),
                ('bid_value', crm_project.records.fields.MoneyField(blank=True, null=True)),
                ('bid_periods', models.PositiveIntegerField(blank=True, null=True)),
                ('status', models.CharField(choices=[('open', 'Open'), ('won', 'Won'), ('lost', 'Lost'), ('abandoned', 'Abandoned')], default='open', max_length=16)),
                ('probability', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('stage', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pipelines.stage')),
                ('contact', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deals', to='contacts.contact')),
                ('client', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='client_deals', to='contacts.contact')),
                ('owner', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.member')),
                ('is_private', models.BooleanField(default=False)),
                ('lost_reason', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='deals.lostreason')),
                ('expected_close_date', models.DateField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('date', models.DateField(blank=True, null=True)),
                ('date_from', models.DateField(blank=True, null=True)),
                ('date_to', models.DateField(blank=True, null=True)),
                ('number', models.CharField(blank=True, max_length=255)),
                ('invoice_no', models.CharField(blank=True, max_length=255)),
                ('url', models.CharField(blank=True, max_length=2000)),
                ('origin', models.CharField(blank=True, max_length=255)),
                ('department_id', models.BigIntegerField(blank=True, null=True)),
                ('project_id', models.BigIntegerField(blank=True, null=True)),
                ('task_id', models.BigIntegerField(blank=True, null=True)),
                ('next_deal', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='deals.deal')),
                ('custom_fields', models.JSONField(blank=True, default=dict)),
                ('stage_entered_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('created_by', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.member')),
                ('search_text', models.TextField(blank=True, editable=False)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('deleted_at', None)), fields=['organization', '-created_at', '-id'], name='deals_deal_newest'), models.Index(condition=models.Q(('deleted_at', None)), fields=['organization', 'status', '-created_at', '-id'], name='deals_deal_status_newest'), models.Index(condition=models.Q(('deleted_at', None)), fields=['stage', '-created_at', '-id'], name='deals_deal_stage_newest'), models.Index(condition=models.Q(('deleted_at', None)), fields=['organization', '-updated_at', '-id'], name='deals_deal_updated'), models.Index(condition=models.Q(('deleted_at', None)), fields=['organization', 'amount', 'id'], name='deals_deal_by_amount'), models.Index(condition=models.Q(('deleted_at', None)), fields=['organization', 'expected_close_date', 'id'], name='deals_deal_expected_close'), models.Index(fields=['contact'], name='deals_deal_contact_idx'), models.Index(fields=['client'], name='deals_deal_client_idx'), models.Index(fields=['owner', '-created_at', '-id'], name='deals_deal_owner_newest'), crm_project.records.indexes.SearchIndex(name='deals_deal_search')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'id'), name='deals_deal_organization_id'), crm_project.records.constraints.SameOrganization(field='stage', name='deals_deal_stage_same_org'), crm_project.records.constraints.SameOrganization(field='contact', name='deals_deal_contact_same_org'), crm_project.records.constraints.SameOrganization(field='client', name='deals_deal_client_same_org'), crm_project.records.constraints.SameOrganization(field='owner', name='deals_deal_owner_same_org'), crm_project.records.constraints.SameOrganization(field='lost_reason', name='deals_deal_lost_reason_same_org'), crm_project.records.constraints.SameOrganization(field='next_deal', name='deals_deal_next_deal_same_org'), crm_project.records.constraints.SameOrganization(field='created_by', name='deals_deal_created_by_same_org'), models.CheckConstraint(condition=models.Q(('amount', None), models.Q(('amount__gte', 0), ('amount__lt', 1000000000000)), _connector='OR'), name='deals_deal_amount'), models.CheckConstraint(condition=models.Q(('amount_gross', None), models.Q(('amount__isnull', False), ('amount_gross__gte', models.F('amount')), ('amount_gross__lt', 1000000000000)), _connector='OR'), name='deals_deal_amount_gross'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('status', 'open')), models.Q(('closed_at__isnull', False), ('status__in', ['won', 'lost', 'abandoned'])), _connector='OR'), name='deals_deal_closed_at'), models.CheckConstraint(condition=models.Q(('lost_reason', None), ('status__in', ['lost', 'abandoned']), _connector='OR'), name='deals_deal_lost_reason'), models.CheckConstraint(condition=models.Q(('probability', None), ('probability__lte', 100), _connector='OR'), name='deals_deal_probability'), models.CheckConstraint(condition=models.Q(models.Q(('bid_periods', None), ('bid_type', 'fixed'), ('bid_value', None)), models.Q(models.Q(('bid_type', 'fixed'), _negated=True), ('bid_value__isnull', False)), _connector='OR'), name='deals_deal_bid')],
            },
        ),
        migrations.CreateModel(
            name='DealContact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('deal', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='contact_links', to='deals.deal')),
                ('contact', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.contact')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('deal', 'contact'), name='deals_dealcontact_once'), crm_project.records.constraints.SameOrganization(field='deal', name='deals_dealcontact_deal_same_org'), crm_project.records.constraints.SameOrganization(field='contact', name='deals_dealcontact_contact_same_org')],
            },
        ),
        migrations.CreateModel(
            name='DealFollower',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('deal', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='follower_links', to='deals.deal')),
                ('member', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.member')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('deal', 'member'), name='deals_dealfollower_once'), crm_project.records.constraints.SameOrganization(field='deal', name='deals_dealfollower_deal_same_org'), crm_project.records.constraints.SameOrganization(field='member', name='deals_dealfollower_member_same_org')],
            },
        ),
        migrations.CreateModel(
            name='DealAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('deal', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='access_links', to='deals.deal')),
                ('member', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.member')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('deal', 'member'), name='deals_dealaccess_once'), crm_project.records.constraints.SameOrganization(field='deal', name='deals_dealaccess_deal_same_org'), crm_project.records.constraints.SameOrganization(field='member', name='deals_dealaccess_member_same_org')],
            },
        ),
        migrations.CreateModel(
            name='DealState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('deal', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='states', to='deals.deal')),
                ('stage', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pipelines.stage')),
                ('status', models.CharField(max_length=16)),
                ('amount', crm_project.records.fields.MoneyField(null=True)),
                ('currency', models.CharField(max_length=3)),
                ('owner', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.member')),
                ('probability', models.PositiveSmallIntegerField()),
                ('expected_close_date', models.DateField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('deleted_at', models.DateTimeField(null=True)),
                ('valid_from', models.DateTimeField()),
                ('valid_to', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'valid_from'], name='deals_dealstate_from'), models.Index(fields=['deal', '-valid_from'], name='deals_dealstate_of_deal')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('valid_to', None)), fields=('deal',), name='deals_dealstate_one_current'), models.CheckConstraint(condition=models.Q(('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='deals_dealstate_range'), crm_project.records.constraints.SameOrganization(field='deal', name='deals_dealstate_deal_same_org'), crm_project.records.constraints.SameOrganization(field='stage', name='deals_dealstate_stage_same_org'), crm_project.records.constraints.SameOrganization(field='owner', name='deals_dealstate_owner_same_org')],
            },
        ),
        migrations.CreateModel(
            name='LostReasonReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('system', models.CharField(max_length=255)),
                ('external_id', models.CharField(max_length=255)),
                ('is_live', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('row', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=True, on_delete=django.db.models.deletion.PROTECT, related_name='references', to='deals.lostreason')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('organization', 'system', 'external_id'), name='deals_lostreasonreference_live_key'), crm_project.records.constraints.SameOrganization(field='row', name='deals_lostreasonreference_row_same_org')],
            },
        ),
        migrations.CreateModel(
            name='DealReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('system', models.CharField(max_length=255)),
                ('external_id', models.CharField(max_length=255)),
                ('is_live', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('row', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=True, on_delete=django.db.models.deletion.PROTECT, related_name='references', to='deals.deal')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('organization', 'system', 'external_id'), name='deals_dealreference_live_key'), crm_project.records.constraints.SameOrganization(field='row', name='deals_dealreference_row_same_org')],
            },
        ),
        migrations.AddField(
            model_name='Deal',
            name='members',
            field=models.ManyToManyField(related_name='+', through='deals.DealContact', to='contacts.contact'),
        ),
        migrations.AddField(
            model_name='Deal',
            name='followers',
            field=models.ManyToManyField(related_name='+', through='deals.DealFollower', to='accounts.member'),
        ),
        migrations.AddField(
            model_name='Deal',
            name='access_list',
            field=models.ManyToManyField(related_name='+', through='deals.DealAccess', to='accounts.member'),
        ),
    ]
