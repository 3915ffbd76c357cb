import crm_project.records.constraints
import crm_project.records.fields
import crm_project.records.indexes
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('records', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('kind', models.CharField(choices=[('person', 'Person'), ('company', 'Company')], default='person', max_length=8)),
                ('full_name', models.CharField(editable=False, max_length=511)),
                ('first_name', models.CharField(blank=True, max_length=255)),
                ('last_name', models.CharField(blank=True, max_length=255)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('phone', models.CharField(blank=True, max_length=255)),
                ('mobile', models.CharField(blank=True, max_length=255)),
                ('job_title', models.CharField(blank=True, max_length=255)),
                ('department', models.CharField(blank=True, max_length=255)),
                ('company', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='people', to='contacts.contact')),
                ('owner', crm_project.records.fields.RowForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.member')),
                ('website', models.CharField(blank=True, max_length=2000)),
                ('street', models.CharField(blank=True, max_length=255)),
                ('postal_code', models.CharField(blank=True, max_length=255)),
                ('city', models.CharField(blank=True, max_length=255)),
                ('country', models.CharField(blank=True, max_length=255)),
                ('description', models.TextField(blank=True)),
                ('origin', models.CharField(blank=True, max_length=255)),
                ('custom_fields', models.JSONField(blank=True, default=dict)),
                ('search_text', models.TextField(blank=True, editable=False)),
            ],
            options={
                'indexes': [models.Index(fields=['organization', '-created_at', '-id'], name='contacts_contact_newest'), models.Index(fields=['organization', 'email'], name='contacts_contact_email'), models.Index(fields=['company'], name='contacts_contact_company_idx'), crm_project.records.indexes.SearchIndex(name='contacts_contact_search')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'id'), name='contacts_contact_organization_id'), crm_project.records.constraints.SameOrganization(field='company', name='contacts_contact_company_same_org'), crm_project.records.constraints.SameOrganization(field='owner', name='contacts_contact_owner_same_org'), models.UniqueConstraint(condition=models.Q(('deleted_at', None), models.Q(('email', ''), _negated=True)), fields=('organization', 'kind', 'email'), name='contacts_contact_live_email'), models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower(django.db.models.functions.text.Trim(models.F('email'))))), name='contacts_contact_email_folded'), models.CheckConstraint(condition=models.Q(('kind__in', ['person', 'company'])), name='contacts_contact_kind'), models.CheckConstraint(condition=models.Q(('company', None), ('kind', 'person'), _connector='OR'), name='contacts_contact_company')],
            },
        ),
        migrations.CreateModel(
            name='ContactReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('system', models.CharField(max_length=255)),
                ('external_id', models.CharField(max_length=255)),
                ('is_live', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('row', crm_project.records.fields.RowForeignKey(db_constraint=False, db_index=True, on_delete=django.db.models.deletion.PROTECT, related_name='references', to='contacts.contact')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('organization', 'system', 'external_id'), name='contacts_contactreference_live_key'), crm_project.records.constraints.SameOrganization(field='row', name='contacts_contactreference_row_same_org')],
            },
        ),
    ]
