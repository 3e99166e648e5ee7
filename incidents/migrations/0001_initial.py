import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
        ('pipelines', '0001_initial'),
        ('runbooks', '0001_initial'),
        ('scheduling', '0001_initial'),
        ('validation', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('issue', 'Issue'), ('outage', 'Outage'), ('delay', 'Delay')], default='issue', max_length=6)),
                ('severity', models.CharField(choices=[('critical', 'Critical'), ('high', 'High'), ('low', 'Low')], default='high', max_length=8)),
                ('title', models.CharField(max_length=200)),
                ('text', models.TextField(blank=True, max_length=10000)),
                ('state', models.CharField(choices=[('open', 'Open'), ('acknowledged', 'Acknowledged'), ('resolved', 'Resolved')], default='open', max_length=12)),
                ('source', models.CharField(choices=[('person', 'Person'), ('check', 'Check'), ('alert', 'Alert'), ('api', 'API'), ('drill', 'Drill')], default='person', max_length=6)),
                ('check_id', models.PositiveBigIntegerField(blank=True, help_text='ID of the failing check.', null=True)),
                ('fingerprint', models.CharField(blank=True, help_text='Alertmanager’s fingerprint of the alert, the tool and key of an external check, or the key of an event.', max_length=300)),
                ('group_key', models.CharField(blank=True, help_text='Alertmanager’s group, whose alerts share the incident.', max_length=300)),
                ('opened_at', models.DateTimeField()),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('round', models.PositiveSmallIntegerField(default=1, help_text='Escalation round; reopening starts a new one.')),
                ('next_escalation_at', models.DateTimeField(blank=True, null=True)),
                ('snoozed_until', models.DateTimeField(blank=True, null=True)),
                ('hold', models.CharField(blank=True, choices=[('maintenance', 'Maintenance'), ('upstream', 'Upstream incident')], help_text='What pauses its escalation, which restarts afterwards.', max_length=11)),
                ('repeats', models.PositiveIntegerField(default=0, help_text='How often the check or alert failed again.')),
                ('last_seen_at', models.DateTimeField(help_text='When the check or alert last failed.')),
                ('recovered_at', models.DateTimeField(blank=True, help_text='When the check recovered.', null=True)),
                ('evidence_round', models.PositiveSmallIntegerField(default=0, editable=False, help_text='Newest round for which evidence was requested.')),
                ('acknowledged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('assignee', models.ForeignKey(blank=True, help_text='Engineer working on the incident.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='incidents', to=settings.AUTH_USER_MODEL)),
                ('opened_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('parent', models.ForeignKey(blank=True, help_text='The open upstream incident that explained the failure when this one was opened.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='incidents.incident')),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='incidents', to='pipelines.pipeline')),
                ('resolved_by', models.ForeignKey(blank=True, help_text='Empty if its check or alert recovered.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-opened_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Failure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('check_id', models.PositiveBigIntegerField(blank=True, help_text='ID of the failing check.', null=True)),
                ('fingerprint', models.CharField(blank=True, help_text='Tool and key of an external check.', max_length=300)),
                ('title', models.CharField(max_length=200)),
                ('text', models.TextField(blank=True, max_length=10000)),
                ('started_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField(help_text='When the check last failed.')),
                ('repeats', models.PositiveIntegerField(default=0, help_text='How often the check failed again.')),
                ('recovered_at', models.DateTimeField(blank=True, help_text='When the check recovered.', null=True)),
                ('is_open', models.BooleanField(default=True, help_text='The incident is unresolved and this failure is part of it.')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='failures', to='incidents.incident')),
            ],
            options={
                'ordering': ['incident', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='EscalationStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('round', models.PositiveSmallIntegerField()),
                ('role', models.CharField(choices=[('on_call', 'on call'), ('primary_owner', 'primary owner'), ('secondary_owner', 'secondary owner'), ('rotation', 'next in the rotation'), ('assignee', 'assignee'), ('admin', 'admin')], max_length=16)),
                ('at', models.DateTimeField()),
                ('engineer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='escalation_steps', to='incidents.incident')),
            ],
            options={
                'ordering': ['incident', 'round', 'at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Drill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week', models.DateField(blank=True, help_text='Monday of the week of a weekly drill.', null=True)),
                ('at', models.DateTimeField(help_text='When it started or was skipped.')),
                ('skip_reason', models.CharField(blank=True, help_text='Why it was skipped.', max_length=300)),
                ('engineer', models.ForeignKey(blank=True, help_text='The responder at that time.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(blank=True, help_text='Rotation whose weekly drill it is; empty if somebody started it.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='drills', to='scheduling.rotation')),
                ('incident', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='drill', to='incidents.incident')),
            ],
            options={
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(max_length=300, unique=True)),
                ('name', models.CharField(max_length=500)),
                ('summary', models.TextField(blank=True)),
                ('severity', models.CharField(blank=True, max_length=500)),
                ('labels', models.JSONField(blank=True, default=dict)),
                ('group_key', models.CharField(blank=True, max_length=300)),
                ('is_firing', models.BooleanField(verbose_name='firing')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('last_ends_at', models.DateTimeField(blank=True, help_text='End of the last firing that was resolved; it stays while the alert fires again.', null=True)),
                ('received_at', models.DateTimeField(help_text='When the last webhook with this alert arrived.')),
                ('pipeline', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts', to='pipelines.pipeline')),
                ('incident', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts', to='incidents.incident')),
            ],
            options={
                'ordering': ['-received_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='IncidentEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('kind', models.CharField(choices=[('issue', 'Issue'), ('outage', 'Outage'), ('delay', 'Delay')], default='issue', max_length=6)),
                ('severity', models.CharField(choices=[('critical', 'Critical'), ('high', 'High'), ('low', 'Low')], default='high', max_length=8)),
                ('title', models.CharField(max_length=200)),
                ('text', models.TextField(blank=True, max_length=10000)),
                ('state', models.CharField(choices=[('open', 'Open'), ('acknowledged', 'Acknowledged'), ('resolved', 'Resolved')], default='open', max_length=12)),
                ('source', models.CharField(choices=[('person', 'Person'), ('check', 'Check'), ('alert', 'Alert'), ('api', 'API'), ('drill', 'Drill')], default='person', max_length=6)),
                ('check_id', models.PositiveBigIntegerField(blank=True, help_text='ID of the failing check.', null=True)),
                ('fingerprint', models.CharField(blank=True, help_text='Alertmanager’s fingerprint of the alert, the tool and key of an external check, or the key of an event.', max_length=300)),
                ('group_key', models.CharField(blank=True, help_text='Alertmanager’s group, whose alerts share the incident.', max_length=300)),
                ('opened_at', models.DateTimeField()),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('round', models.PositiveSmallIntegerField(default=1, help_text='Escalation round; reopening starts a new one.')),
                ('next_escalation_at', models.DateTimeField(blank=True, null=True)),
                ('snoozed_until', models.DateTimeField(blank=True, null=True)),
                ('hold', models.CharField(blank=True, choices=[('maintenance', 'Maintenance'), ('upstream', 'Upstream incident')], help_text='What pauses its escalation, which restarts afterwards.', max_length=11)),
                ('repeats', models.PositiveIntegerField(default=0, help_text='How often the check or alert failed again.')),
                ('last_seen_at', models.DateTimeField(help_text='When the check or alert last failed.')),
                ('recovered_at', models.DateTimeField(blank=True, help_text='When the check recovered.', null=True)),
                ('acknowledged_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('assignee', models.ForeignKey(blank=True, db_constraint=False, help_text='Engineer working on the incident.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('opened_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('parent', models.ForeignKey(blank=True, db_constraint=False, help_text='The open upstream incident that explained the failure when this one was opened.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='incidents.incident')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='incidents.incident')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('resolved_by', models.ForeignKey(blank=True, db_constraint=False, help_text='Empty if its check or alert recovered.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='IntegrationKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The tool that uses it, such as “Grafana”.', max_length=80)),
                ('prefix', models.CharField(max_length=8)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('minute', models.DateTimeField(editable=False, help_text='Start of the minute whose events are counted.', null=True)),
                ('events_in_minute', models.PositiveIntegerField(default=0, editable=False)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='integration_keys', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['pipeline', 'name', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='IntegrationKeyEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(help_text='The tool that uses it, such as “Grafana”.', max_length=80)),
                ('prefix', models.CharField(max_length=8)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='incidents.integrationkey')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='MaintenanceWindow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('reason', models.CharField(help_text='Such as “Warehouse migration”.', max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='maintenance_windows', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['-starts_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='MaintenanceWindowEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('reason', models.CharField(help_text='Such as “Warehouse migration”.', max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('created_by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='incidents.maintenancewindow')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='QueryApproval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('query', models.TextField(max_length=20000)),
                ('digest', models.CharField(help_text='SHA-256 of the SQL.', max_length=64)),
                ('rows_for_engineers', models.BooleanField(default=False, help_text='Otherwise only admins can.', verbose_name='engineers can see the rows')),
                ('approved_at', models.DateTimeField()),
                ('approved_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='query_approvals', to='validation.datasource')),
            ],
            options={
                'ordering': ['-approved_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='QueryApprovalEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('query', models.TextField(max_length=20000)),
                ('digest', models.CharField(help_text='SHA-256 of the SQL.', max_length=64)),
                ('rows_for_engineers', models.BooleanField(default=False, help_text='Otherwise only admins can.', verbose_name='engineers can see the rows')),
                ('approved_at', models.DateTimeField()),
                ('approved_by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='incidents.queryapproval')),
                ('source', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='validation.datasource')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RunbookRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField(help_text='Revision that the steps come from.')),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, help_text='When the incident was resolved.', null=True)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='incidents.incident')),
                ('runbook', models.ForeignKey(blank=True, help_text='Empty if it was deleted for good.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runs', to='runbooks.runbook')),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['incident', '-started_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('round', models.PositiveSmallIntegerField(help_text='Escalation round of the incident.')),
                ('revision', models.PositiveIntegerField(help_text='Revision of the runbook that the block comes from.')),
                ('step', models.PositiveSmallIntegerField(help_text='Number of the step.')),
                ('step_text', models.TextField(blank=True, max_length=200)),
                ('kind', models.CharField(choices=[('sql', 'Query'), ('check', 'Check')], max_length=5)),
                ('name', models.CharField(help_text='Data source or check, as written in the runbook.', max_length=120)),
                ('query', models.TextField(blank=True, max_length=20000)),
                ('key', models.CharField(help_text='Identifies the block by its source and text.', max_length=64)),
                ('check_id', models.PositiveBigIntegerField(blank=True, help_text='ID of the check.', null=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting for approval'), ('pending', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='pending', max_length=7)),
                ('requested_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(blank=True, help_text='When a worker may run it.', null=True)),
                ('claim', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('columns', models.JSONField(blank=True, default=list)),
                ('rows', models.JSONField(blank=True, default=list)),
                ('is_truncated', models.BooleanField(default=False, help_text='The query returned more rows than are stored.')),
                ('error', models.TextField(blank=True)),
                ('error_details', models.TextField(blank=True, help_text='The database’s error message, for admins only.')),
                ('requested_by', models.ForeignKey(blank=True, help_text='Empty if the incident’s opening requested it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='validation.datasource')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='evidence', to='incidents.incident')),
                ('approval', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='evidence', to='incidents.queryapproval')),
                ('run', models.ForeignKey(blank=True, help_text='Runbook run that it belongs to, if the runbook was started.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='evidence', to='incidents.runbookrun')),
            ],
            options={
                'verbose_name_plural': 'evidence',
                'ordering': ['incident', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='RunStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('text', models.TextField()),
                ('html', models.TextField(blank=True, help_text="The step as the runbook's page shows it, sanitised.")),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.TextField(blank=True, max_length=2000)),
                ('fixed_incident', models.BooleanField(default=False, help_text='This step fixed the incident.')),
                ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='incidents.runbookrun')),
            ],
            options={
                'ordering': ['run', 'position'],
            },
        ),
        migrations.CreateModel(
            name='RunStepEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('position', models.PositiveSmallIntegerField()),
                ('text', models.TextField()),
                ('html', models.TextField(blank=True, help_text="The step as the runbook's page shows it, sanitised.")),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.TextField(blank=True, max_length=2000)),
                ('fixed_incident', models.BooleanField(default=False, help_text='This step fixed the incident.')),
                ('done_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='incidents.runstep')),
                ('run', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='incidents.runbookrun')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SlackPost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Failed attempts in a row.')),
                ('retry_at', models.DateTimeField(blank=True, help_text='Next attempt after a failure.', null=True)),
                ('problem', models.CharField(blank=True, help_text='Why the last attempt failed.', max_length=500)),
                ('channel', models.CharField(help_text='Slack’s ID of the channel or direct message.', max_length=32)),
                ('ts', models.CharField(help_text='The message’s timestamp, which is its ID in the channel.', max_length=32)),
                ('shown_entry', models.PositiveBigIntegerField(help_text='The newest entry of the timeline that it shows.')),
                ('shows_resolved', models.BooleanField(default=False)),
                ('stopped_at', models.DateTimeField(blank=True, help_text='When Slack refused to update it.', null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='slack_posts', to='incidents.incident')),
            ],
            options={
                'verbose_name': 'Slack message',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='TimelineEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('opened', 'Opened'), ('notified', 'Notified'), ('exhausted', 'Escalation exhausted'), ('acknowledged', 'Acknowledged'), ('note', 'Note'), ('edited', 'Edited'), ('reassigned', 'Reassigned'), ('unassigned', 'Unassigned'), ('snoozed', 'Snoozed'), ('snooze_ended', 'Snooze ended'), ('held', 'Escalation paused for maintenance'), ('maintenance_ended', 'Maintenance ended'), ('upstream', 'Escalation paused for an upstream incident'), ('upstream_ended', 'Escalation resumed'), ('change', 'Change'), ('failure_added', 'Failure added'), ('failure_recovered', 'Failure recovered'), ('alert_added', 'Alert added'), ('alert_resolved', 'Alert resolved'), ('repeated', 'Failed again'), ('recovered', 'Recovered'), ('run_started', 'Runbook started'), ('step', 'Runbook step'), ('resolved', 'Resolved'), ('reopened', 'Reopened')], max_length=17)),
                ('at', models.DateTimeField()),
                ('text', models.TextField(blank=True)),
                ('data', models.JSONField(blank=True, default=dict)),
                ('by', models.ForeignKey(blank=True, help_text='Empty for the system.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='timeline', to='incidents.incident')),
            ],
            options={
                'verbose_name_plural': 'timeline entries',
                'ordering': ['incident', 'pk'],
            },
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('next_escalation_at__isnull', False)), fields=['next_escalation_at'], name='incident_due'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('hold', 'upstream')), fields=['id'], name='incident_held_upstream'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('snoozed_until__isnull', False)), fields=['snoozed_until'], name='incident_snoozed'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['pipeline', 'state'], name='incident_pipeline_state'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['-opened_at'], name='incident_newest'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('evidence_round__lt', models.F('round')), models.Q(('state', 'resolved'), _negated=True)), fields=['id'], name='incident_without_evidence'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['check_id', '-opened_at'], name='incident_check'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['fingerprint', '-opened_at'], name='incident_fingerprint'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(('check_id__isnull', False), models.Q(('state', 'resolved'), _negated=True)), fields=('check_id',), name='one_open_incident_per_check'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('fingerprint', ''), _negated=True), models.Q(('state', 'resolved'), _negated=True)), fields=('fingerprint',), name='one_open_incident_per_fingerprint'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('group_key', ''), _negated=True), models.Q(('state', 'resolved'), _negated=True)), fields=('pipeline', 'group_key'), name='one_open_incident_per_group'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('snoozed_until', None), models.Q(models.Q(('state', 'resolved'), _negated=True), ('next_escalation_at', None)), _connector='OR'), name='snoozed_incident_does_not_escalate'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='incident_has_title'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('parent', models.F('id')), _negated=True), name='incident_is_not_below_itself'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__isnull', False), ('state', 'resolved')), models.Q(models.Q(('state', 'resolved'), _negated=True), ('resolved_at', None), ('resolved_by', None)), _connector='OR'), name='resolved_incident_has_time'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'acknowledged'), _negated=True), models.Q(('acknowledged_at__isnull', False), ('acknowledged_by__isnull', False), ('assignee__isnull', False)), _connector='OR'), name='acknowledged_incident_has_assignee'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('next_escalation_at', None), ('state', 'open'), _connector='OR'), name='only_open_incidents_escalate'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('resolved_at', None), ('resolved_at__gte', models.F('opened_at')), _connector='OR'), name='incident_resolved_after_opened'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incident',
            trigger=pgtrigger.compiler.Trigger(name='rows_change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='6a2dc00085205e3d838557d8ffbf45d1b27a219b', operation='INSERT OR DELETE', pgid='pgtrigger_rows_change_page_version_3d016', table='incidents_incident', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incident',
            trigger=pgtrigger.compiler.Trigger(name='change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."acknowledged_at" IS DISTINCT FROM (NEW."acknowledged_at") OR OLD."acknowledged_by_id" IS DISTINCT FROM (NEW."acknowledged_by_id") OR OLD."assignee_id" IS DISTINCT FROM (NEW."assignee_id") OR OLD."check_id" IS DISTINCT FROM (NEW."check_id") OR OLD."evidence_round" IS DISTINCT FROM (NEW."evidence_round") OR OLD."fingerprint" IS DISTINCT FROM (NEW."fingerprint") OR OLD."group_key" IS DISTINCT FROM (NEW."group_key") OR OLD."hold" IS DISTINCT FROM (NEW."hold") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."next_escalation_at" IS DISTINCT FROM (NEW."next_escalation_at") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at") OR OLD."opened_by_id" IS DISTINCT FROM (NEW."opened_by_id") OR OLD."parent_id" IS DISTINCT FROM (NEW."parent_id") OR OLD."pipeline_id" IS DISTINCT FROM (NEW."pipeline_id") OR OLD."recovered_at" IS DISTINCT FROM (NEW."recovered_at") OR OLD."resolved_at" IS DISTINCT FROM (NEW."resolved_at") OR OLD."resolved_by_id" IS DISTINCT FROM (NEW."resolved_by_id") OR OLD."round" IS DISTINCT FROM (NEW."round") OR OLD."severity" IS DISTINCT FROM (NEW."severity") OR OLD."snoozed_until" IS DISTINCT FROM (NEW."snoozed_until") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."title" IS DISTINCT FROM (NEW."title"))', declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='0cb277c53ab53cd47520c1fe5c7667e5162ebb5f', operation='UPDATE', pgid='pgtrigger_change_page_version_4c200', table='incidents_incident', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incident',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_incidentevent" ("acknowledged_at", "acknowledged_by_id", "assignee_id", "check_id", "fingerprint", "group_key", "hold", "id", "kind", "last_seen_at", "next_escalation_at", "opened_at", "opened_by_id", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "recovered_at", "repeats", "resolved_at", "resolved_by_id", "round", "severity", "snoozed_until", "source", "state", "text", "title") VALUES (NEW."acknowledged_at", NEW."acknowledged_by_id", NEW."assignee_id", NEW."check_id", NEW."fingerprint", NEW."group_key", NEW."hold", NEW."id", NEW."kind", NEW."last_seen_at", NEW."next_escalation_at", NEW."opened_at", NEW."opened_by_id", NEW."parent_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."recovered_at", NEW."repeats", NEW."resolved_at", NEW."resolved_by_id", NEW."round", NEW."severity", NEW."snoozed_until", NEW."source", NEW."state", NEW."text", NEW."title"); RETURN NULL;', hash='def44b480d67d4139b311d1dd053f2d069b77f0b', operation='INSERT', pgid='pgtrigger_insert_insert_edffb', table='incidents_incident', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incident',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."acknowledged_at" IS DISTINCT FROM (NEW."acknowledged_at") OR OLD."acknowledged_by_id" IS DISTINCT FROM (NEW."acknowledged_by_id") OR OLD."assignee_id" IS DISTINCT FROM (NEW."assignee_id") OR OLD."check_id" IS DISTINCT FROM (NEW."check_id") OR OLD."fingerprint" IS DISTINCT FROM (NEW."fingerprint") OR OLD."group_key" IS DISTINCT FROM (NEW."group_key") OR OLD."hold" IS DISTINCT FROM (NEW."hold") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at") OR OLD."opened_by_id" IS DISTINCT FROM (NEW."opened_by_id") OR OLD."parent_id" IS DISTINCT FROM (NEW."parent_id") OR OLD."pipeline_id" IS DISTINCT FROM (NEW."pipeline_id") OR OLD."recovered_at" IS DISTINCT FROM (NEW."recovered_at") OR OLD."resolved_at" IS DISTINCT FROM (NEW."resolved_at") OR OLD."resolved_by_id" IS DISTINCT FROM (NEW."resolved_by_id") OR OLD."round" IS DISTINCT FROM (NEW."round") OR OLD."severity" IS DISTINCT FROM (NEW."severity") OR OLD."snoozed_until" IS DISTINCT FROM (NEW."snoozed_until") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."title" IS DISTINCT FROM (NEW."title"))', func='INSERT INTO "incidents_incidentevent" ("acknowledged_at", "acknowledged_by_id", "assignee_id", "check_id", "fingerprint", "group_key", "hold", "id", "kind", "last_seen_at", "next_escalation_at", "opened_at", "opened_by_id", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "recovered_at", "repeats", "resolved_at", "resolved_by_id", "round", "severity", "snoozed_until", "source", "state", "text", "title") VALUES (NEW."acknowledged_at", NEW."acknowledged_by_id", NEW."assignee_id", NEW."check_id", NEW."fingerprint", NEW."group_key", NEW."hold", NEW."id", NEW."kind", NEW."last_seen_at", NEW."next_escalation_at", NEW."opened_at", NEW."opened_by_id", NEW."parent_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."recovered_at", NEW."repeats", NEW."resolved_at", NEW."resolved_by_id", NEW."round", NEW."severity", NEW."snoozed_until", NEW."source", NEW."state", NEW."text", NEW."title"); RETURN NULL;', hash='a2da0e68377f25e9afdf33fd260bd2381959cc82', operation='UPDATE', pgid='pgtrigger_update_update_41444', table='incidents_incident', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incident',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_incidentevent" ("acknowledged_at", "acknowledged_by_id", "assignee_id", "check_id", "fingerprint", "group_key", "hold", "id", "kind", "last_seen_at", "next_escalation_at", "opened_at", "opened_by_id", "parent_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "recovered_at", "repeats", "resolved_at", "resolved_by_id", "round", "severity", "snoozed_until", "source", "state", "text", "title") VALUES (OLD."acknowledged_at", OLD."acknowledged_by_id", OLD."assignee_id", OLD."check_id", OLD."fingerprint", OLD."group_key", OLD."hold", OLD."id", OLD."kind", OLD."last_seen_at", OLD."next_escalation_at", OLD."opened_at", OLD."opened_by_id", OLD."parent_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."recovered_at", OLD."repeats", OLD."resolved_at", OLD."resolved_by_id", OLD."round", OLD."severity", OLD."snoozed_until", OLD."source", OLD."state", OLD."text", OLD."title"); RETURN NULL;', hash='e26401d0ac1adaa7226d26d42aafe190624a379e', operation='DELETE', pgid='pgtrigger_delete_delete_2fefa', table='incidents_incident', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='failure',
            index=models.Index(fields=['check_id'], name='failure_check'),
        ),
        migrations.AddIndex(
            model_name='failure',
            index=models.Index(fields=['fingerprint'], name='failure_fingerprint'),
        ),
        migrations.AddConstraint(
            model_name='failure',
            constraint=models.UniqueConstraint(condition=models.Q(('check_id__isnull', False), ('is_open', True)), fields=('check_id',), name='check_fails_in_one_incident'),
        ),
        migrations.AddConstraint(
            model_name='failure',
            constraint=models.UniqueConstraint(condition=models.Q(('is_open', True), models.Q(('fingerprint', ''), _negated=True)), fields=('fingerprint',), name='external_check_fails_in_one_incident'),
        ),
        migrations.AddConstraint(
            model_name='failure',
            constraint=models.UniqueConstraint(fields=('incident', 'check_id', 'fingerprint'), name='one_failure_per_check'),
        ),
        migrations.AddConstraint(
            model_name='failure',
            constraint=models.CheckConstraint(condition=models.Q(('check_id', None), ('fingerprint', ''), _connector='XOR'), name='failure_has_one_check'),
        ),
        migrations.AddConstraint(
            model_name='escalationstep',
            constraint=models.UniqueConstraint(fields=('incident', 'round', 'engineer'), name='one_notification_per_round'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='escalationstep',
            trigger=pgtrigger.compiler.Trigger(name='rows_change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='55f3b892140d2f65ae217eccbd93b8f1fc79ff45', operation='INSERT OR DELETE', pgid='pgtrigger_rows_change_page_version_6a9a3', table='incidents_escalationstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='escalationstep',
            trigger=pgtrigger.compiler.Trigger(name='change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='0695fcc12a1c36a22313cde7474c43410caf7d10', operation='UPDATE', pgid='pgtrigger_change_page_version_e1982', table='incidents_escalationstep', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='drill',
            index=models.Index(fields=['-at'], name='drill_newest'),
        ),
        migrations.AddConstraint(
            model_name='drill',
            constraint=models.UniqueConstraint(fields=('rotation', 'week'), name='one_weekly_drill_per_week'),
        ),
        migrations.AddConstraint(
            model_name='drill',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rotation', None), ('week', None)), models.Q(('rotation__isnull', False), ('week__isnull', False)), _connector='OR'), name='weekly_drill_has_week'),
        ),
        migrations.AddConstraint(
            model_name='drill',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('incident__isnull', False), ('skip_reason', '')), models.Q(('incident', None), models.Q(('skip_reason', ''), _negated=True)), _connector='OR'), name='drill_ran_or_was_skipped'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='drill',
            trigger=pgtrigger.compiler.Trigger(name='rows_change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='3b73d8d68b2dd6f9fb2a6791989b410694c91a14', operation='INSERT OR DELETE', pgid='pgtrigger_rows_change_page_version_fafce', table='incidents_drill', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='drill',
            trigger=pgtrigger.compiler.Trigger(name='change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='d39726af18f8195ff5b254b9bedc81f177fac900', operation='UPDATE', pgid='pgtrigger_change_page_version_979de', table='incidents_drill', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(fields=['-received_at'], name='alert_newest'),
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(condition=models.Q(('is_firing', True)), fields=['pipeline'], name='alert_firing'),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.CheckConstraint(condition=models.Q(('fingerprint', ''), _negated=True), name='alert_has_fingerprint'),
        ),
        migrations.AddConstraint(
            model_name='integrationkey',
            constraint=models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('pipeline', 'name'), name='one_active_key_per_name'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='integrationkey',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_integrationkeyevent" ("created_at", "created_by_id", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "prefix", "revoked_at") VALUES (NEW."created_at", NEW."created_by_id", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."prefix", NEW."revoked_at"); RETURN NULL;', hash='53cc89780c7ff66f99177647f60607085d116dbf', operation='INSERT', pgid='pgtrigger_insert_insert_1f551', table='incidents_integrationkey', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='integrationkey',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."pipeline_id" IS DISTINCT FROM (NEW."pipeline_id") OR OLD."prefix" IS DISTINCT FROM (NEW."prefix") OR OLD."revoked_at" IS DISTINCT FROM (NEW."revoked_at"))', func='INSERT INTO "incidents_integrationkeyevent" ("created_at", "created_by_id", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "prefix", "revoked_at") VALUES (NEW."created_at", NEW."created_by_id", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."prefix", NEW."revoked_at"); RETURN NULL;', hash='635d3826ac421ee47586b0d00b11e760f9fc8448', operation='UPDATE', pgid='pgtrigger_update_update_45245', table='incidents_integrationkey', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='integrationkey',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_integrationkeyevent" ("created_at", "created_by_id", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "prefix", "revoked_at") VALUES (OLD."created_at", OLD."created_by_id", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."prefix", OLD."revoked_at"); RETURN NULL;', hash='817157f6459dbe1d488cd5cb34ce4ce85d9148e7', operation='DELETE', pgid='pgtrigger_delete_delete_57c2f', table='incidents_integrationkey', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='maintenancewindow',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='maintenance_ends_after_start', violation_error_message='The end must be after the start.'),
        ),
        migrations.AddConstraint(
            model_name='maintenancewindow',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func(models.F('pipeline_id'), models.F('pipeline_id'), models.Value('[]'), function='int8range', output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField()), '&&'), (models.Func(models.F('starts_at'), models.F('ends_at'), django.contrib.postgres.fields.ranges.RangeBoundary(), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='maintenance_windows_do_not_overlap', violation_error_message='This pipeline has another maintenance window at that time.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='maintenancewindow',
            trigger=pgtrigger.compiler.Trigger(name='rows_change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='a1a6302ecc280c6ada8ca2049568140fba041f3d', operation='INSERT OR DELETE', pgid='pgtrigger_rows_change_page_version_bb06f', table='incidents_maintenancewindow', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='maintenancewindow',
            trigger=pgtrigger.compiler.Trigger(name='change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='73e22333629a410e68210887e4dc9bd93c80f42e', operation='UPDATE', pgid='pgtrigger_change_page_version_f6e34', table='incidents_maintenancewindow', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='maintenancewindow',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_maintenancewindowevent" ("created_at", "created_by_id", "ends_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "reason", "starts_at") VALUES (NEW."created_at", NEW."created_by_id", NEW."ends_at", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."reason", NEW."starts_at"); RETURN NULL;', hash='f59935176c1adc5804eac1c3e746256fc9861cce', operation='INSERT', pgid='pgtrigger_insert_insert_6d938', table='incidents_maintenancewindow', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='maintenancewindow',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "incidents_maintenancewindowevent" ("created_at", "created_by_id", "ends_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "reason", "starts_at") VALUES (NEW."created_at", NEW."created_by_id", NEW."ends_at", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."reason", NEW."starts_at"); RETURN NULL;', hash='f9c334814b7e0879e9fc4b2a4b028282f55ad809', operation='UPDATE', pgid='pgtrigger_update_update_973d6', table='incidents_maintenancewindow', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='maintenancewindow',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_maintenancewindowevent" ("created_at", "created_by_id", "ends_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "reason", "starts_at") VALUES (OLD."created_at", OLD."created_by_id", OLD."ends_at", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."reason", OLD."starts_at"); RETURN NULL;', hash='d394deaeb1019463819d7986ec606c0e4ae4e3eb', operation='DELETE', pgid='pgtrigger_delete_delete_6dc7c', table='incidents_maintenancewindow', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='queryapproval',
            constraint=models.UniqueConstraint(fields=('source', 'digest'), name='one_approval_per_query'),
        ),
        migrations.AddConstraint(
            model_name='queryapproval',
            constraint=models.CheckConstraint(condition=models.Q(('query', ''), _negated=True), name='approval_has_query'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='queryapproval',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_queryapprovalevent" ("approved_at", "approved_by_id", "digest", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "query", "rows_for_engineers", "source_id") VALUES (NEW."approved_at", NEW."approved_by_id", NEW."digest", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."query", NEW."rows_for_engineers", NEW."source_id"); RETURN NULL;', hash='f7b50ee0f4b02f522b233c48c92793b027ed521c', operation='INSERT', pgid='pgtrigger_insert_insert_6ee16', table='incidents_queryapproval', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='queryapproval',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "incidents_queryapprovalevent" ("approved_at", "approved_by_id", "digest", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "query", "rows_for_engineers", "source_id") VALUES (NEW."approved_at", NEW."approved_by_id", NEW."digest", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."query", NEW."rows_for_engineers", NEW."source_id"); RETURN NULL;', hash='d1e8b000625be13491b5c127ac06354309146760', operation='UPDATE', pgid='pgtrigger_update_update_52aa9', table='incidents_queryapproval', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='queryapproval',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_queryapprovalevent" ("approved_at", "approved_by_id", "digest", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "query", "rows_for_engineers", "source_id") VALUES (OLD."approved_at", OLD."approved_by_id", OLD."digest", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."query", OLD."rows_for_engineers", OLD."source_id"); RETURN NULL;', hash='f5022160145e0648f46eb9e8a636d87d669b0400', operation='DELETE', pgid='pgtrigger_delete_delete_9e520', table='incidents_queryapproval', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='runbookrun',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('incident',), name='one_active_run_per_incident'),
        ),
        migrations.AddIndex(
            model_name='evidence',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['due_at'], name='evidence_due'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('waiting', 'pending'))), fields=('incident', 'key'), name='evidence_runs_once_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('due_at__isnull', False), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('due_at', None)), _connector='OR'), name='pending_evidence_is_due'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('done', 'failed')), _negated=True), ('finished_at__isnull', False), _connector='OR'), name='finished_evidence_has_time'),
        ),
        migrations.AddConstraint(
            model_name='runstep',
            constraint=models.UniqueConstraint(fields=('run', 'position'), name='one_step_per_position'),
        ),
        migrations.AddConstraint(
            model_name='runstep',
            constraint=models.UniqueConstraint(condition=models.Q(('fixed_incident', True)), fields=('run',), name='one_step_fixed_incident'),
        ),
        migrations.AddConstraint(
            model_name='runstep',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('done_at', None), ('done_by', None)), models.Q(('done_at__isnull', False), ('done_by__isnull', False)), _connector='OR'), name='done_step_has_engineer_and_time'),
        ),
        migrations.AddConstraint(
            model_name='runstep',
            constraint=models.CheckConstraint(condition=models.Q(('fixed_incident', False), ('done_at__isnull', False), _connector='OR'), name='only_done_step_fixed_incident'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runstep',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_runstepevent" ("done_at", "done_by_id", "fixed_incident", "html", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "run_id", "text") VALUES (NEW."done_at", NEW."done_by_id", NEW."fixed_incident", NEW."html", NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."position", NEW."run_id", NEW."text"); RETURN NULL;', hash='b89b9f64cfba733fd9dca22acac91e15bda1f1d6', operation='INSERT', pgid='pgtrigger_insert_insert_da711', table='incidents_runstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runstep',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "incidents_runstepevent" ("done_at", "done_by_id", "fixed_incident", "html", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "run_id", "text") VALUES (NEW."done_at", NEW."done_by_id", NEW."fixed_incident", NEW."html", NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."position", NEW."run_id", NEW."text"); RETURN NULL;', hash='5f371260e7164b2190a20527949235c2a1a0049c', operation='UPDATE', pgid='pgtrigger_update_update_efc4d', table='incidents_runstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runstep',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_runstepevent" ("done_at", "done_by_id", "fixed_incident", "html", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "run_id", "text") VALUES (OLD."done_at", OLD."done_by_id", OLD."fixed_incident", OLD."html", OLD."id", OLD."note", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."run_id", OLD."text"); RETURN NULL;', hash='fdc7db6a3c886a4bfce65c809784ac3d76daf915', operation='DELETE', pgid='pgtrigger_delete_delete_4afc0', table='incidents_runstep', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='slackpost',
            index=models.Index(condition=models.Q(('stopped_at', None)), fields=['created_at'], name='slack_post_to_update'),
        ),
        migrations.AddConstraint(
            model_name='slackpost',
            constraint=models.UniqueConstraint(fields=('channel', 'ts'), name='slack_post_is_stored_once'),
        ),
        migrations.AddIndex(
            model_name='timelineentry',
            index=models.Index(fields=['incident', 'id'], name='timeline_of_incident'),
        ),
    ]
