import django.db.models.deletion
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
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('issue', 'Issue'), ('outage', 'Outage'), ('delay', 'Delay')], default='issue', max_length=6)),
                ('title', models.CharField(max_length=200)),
                ('text', models.TextField(blank=True, max_length=10000)),
                ('state', models.CharField(choices=[('open', 'Open'), ('acknowledged', 'Acknowledged'), ('resolved', 'Resolved')], default='open', max_length=12)),
                ('source', models.CharField(choices=[('person', 'A person'), ('check', 'A check'), ('alert', 'An alert'), ('api', 'The API')], default='person', max_length=6)),
                ('check_key', models.PositiveBigIntegerField(blank=True, help_text='The check that fails, by its key.', null=True)),
                ('fingerprint', models.CharField(blank=True, help_text='Alertmanager’s own of an alert; of another tool’s check the tool and its key.', max_length=300)),
                ('opened_at', models.DateTimeField()),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('round', models.PositiveSmallIntegerField(default=1, help_text='Rises when it is reopened: all are told anew.')),
                ('next_escalation_at', models.DateTimeField(blank=True, null=True)),
                ('repeats', models.PositiveIntegerField(default=0, help_text='How often the check or alert has failed again.')),
                ('last_seen_at', models.DateTimeField(help_text='When it was last seen to fail.')),
                ('recovered_at', models.DateTimeField(blank=True, help_text='Since when its check passes again.', null=True)),
                ('acknowledged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('assignee', models.ForeignKey(blank=True, help_text='Who works on it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='incidents', to=settings.AUTH_USER_MODEL)),
                ('opened_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='incidents', to='pipelines.pipeline')),
                ('resolved_by', models.ForeignKey(blank=True, help_text='Empty: what opened it did.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-opened_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='EscalationStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('round', models.PositiveSmallIntegerField()),
                ('role', models.CharField(choices=[('on_call', 'on call'), ('primary_owner', 'primary owner'), ('secondary_owner', 'secondary owner'), ('rotation', 'next in the rotation'), ('admin', 'admin')], max_length=16)),
                ('at', models.DateTimeField()),
                ('engineer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tellings', to='incidents.incident')),
            ],
            options={
                'ordering': ['incident', 'round', 'at', 'pk'],
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
                ('title', models.CharField(max_length=200)),
                ('text', models.TextField(blank=True, max_length=10000)),
                ('state', models.CharField(choices=[('open', 'Open'), ('acknowledged', 'Acknowledged'), ('resolved', 'Resolved')], default='open', max_length=12)),
                ('source', models.CharField(choices=[('person', 'A person'), ('check', 'A check'), ('alert', 'An alert'), ('api', 'The API')], default='person', max_length=6)),
                ('check_key', models.PositiveBigIntegerField(blank=True, help_text='The check that fails, by its key.', null=True)),
                ('fingerprint', models.CharField(blank=True, help_text='Alertmanager’s own of an alert; of another tool’s check the tool and its key.', max_length=300)),
                ('opened_at', models.DateTimeField()),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('round', models.PositiveSmallIntegerField(default=1, help_text='Rises when it is reopened: all are told anew.')),
                ('next_escalation_at', models.DateTimeField(blank=True, null=True)),
                ('repeats', models.PositiveIntegerField(default=0, help_text='How often the check or alert has failed again.')),
                ('last_seen_at', models.DateTimeField(help_text='When it was last seen to fail.')),
                ('recovered_at', models.DateTimeField(blank=True, help_text='Since when its check passes again.', null=True)),
                ('acknowledged_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('assignee', models.ForeignKey(blank=True, db_constraint=False, help_text='Who works on it.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('opened_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='incidents.incident')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('resolved_by', models.ForeignKey(blank=True, db_constraint=False, help_text='Empty: what opened it did.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RunbookRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField(help_text='Number of the revision whose steps these are.')),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, help_text='When its incident was resolved.', null=True)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='incidents.incident')),
                ('runbook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='runbooks.runbook')),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['incident', '-started_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='RunStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('text', models.TextField()),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.TextField(blank=True, max_length=2000)),
                ('ended_incident', models.BooleanField(default=False, help_text='What was done here ended the incident.')),
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
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.TextField(blank=True, max_length=2000)),
                ('ended_incident', models.BooleanField(default=False, help_text='What was done here ended the incident.')),
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
            name='TimelineEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('opened', 'Opened'), ('told', 'Told'), ('exhausted', 'Nobody left to tell'), ('acknowledged', 'Acknowledged'), ('noted', 'Note'), ('changed', 'Changed'), ('handed_over', 'Handed over'), ('repeated', 'Failed again'), ('recovered', 'Passes again'), ('run_started', 'Runbook started'), ('step', 'Runbook step'), ('resolved', 'Resolved'), ('reopened', 'Reopened')], max_length=12)),
                ('at', models.DateTimeField()),
                ('text', models.TextField(blank=True)),
                ('data', models.JSONField(blank=True, default=dict)),
                ('by', models.ForeignKey(blank=True, help_text='Empty: the site.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='timeline', to='incidents.incident')),
            ],
            options={
                'verbose_name_plural': 'timeline entries',
                'ordering': ['incident', 'at', 'pk'],
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
                ('is_firing', models.BooleanField(verbose_name='firing')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('received_at', models.DateTimeField(help_text='When Alertmanager said so last.')),
                ('pipeline', models.ForeignKey(blank=True, help_text='Whose it is.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['-received_at', '-pk'],
                'indexes': [models.Index(fields=['-received_at'], name='alert_newest'), models.Index(condition=models.Q(('is_firing', True)), fields=['pipeline'], name='alert_firing')],
                'constraints': [models.CheckConstraint(condition=models.Q(('fingerprint', ''), _negated=True), name='alert_has_a_fingerprint')],
            },
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('next_escalation_at__isnull', False)), fields=['next_escalation_at'], name='incident_due'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['pipeline', 'state'], name='incident_of_pipeline'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['-opened_at'], name='incident_newest'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['check_key', '-opened_at'], name='incident_of_check'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['fingerprint', '-opened_at'], name='incident_of_alert'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(('check_key__isnull', False), models.Q(('state', 'resolved'), _negated=True)), fields=('check_key',), name='one_open_incident_a_check'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('fingerprint', ''), _negated=True), models.Q(('state', 'resolved'), _negated=True)), fields=('fingerprint',), name='one_open_incident_an_alert'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='incident_has_a_title'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__isnull', False), ('state', 'resolved')), models.Q(models.Q(('state', 'resolved'), _negated=True), ('resolved_at', None), ('resolved_by', None)), _connector='OR'), name='incident_resolved_has_an_instant'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'acknowledged'), _negated=True), models.Q(('acknowledged_at__isnull', False), ('acknowledged_by__isnull', False), ('assignee__isnull', False)), _connector='OR'), name='incident_acknowledged_has_an_assignee'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('next_escalation_at', None), ('state', 'open'), _connector='OR'), name='only_an_open_incident_escalates'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('resolved_at', None), ('resolved_at__gte', models.F('opened_at')), _connector='OR'), name='incident_is_resolved_after_it_is_opened'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incident',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_incidentevent" ("acknowledged_at", "acknowledged_by_id", "assignee_id", "check_key", "fingerprint", "id", "kind", "last_seen_at", "next_escalation_at", "opened_at", "opened_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "recovered_at", "repeats", "resolved_at", "resolved_by_id", "round", "source", "state", "text", "title") VALUES (NEW."acknowledged_at", NEW."acknowledged_by_id", NEW."assignee_id", NEW."check_key", NEW."fingerprint", NEW."id", NEW."kind", NEW."last_seen_at", NEW."next_escalation_at", NEW."opened_at", NEW."opened_by_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."recovered_at", NEW."repeats", NEW."resolved_at", NEW."resolved_by_id", NEW."round", NEW."source", NEW."state", NEW."text", NEW."title"); RETURN NULL;', hash='12e9316b4d1538fb33c91e288ce5a07aca7a71d9', operation='INSERT', pgid='pgtrigger_insert_insert_edffb', table='incidents_incident', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incident',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."acknowledged_at" IS DISTINCT FROM (NEW."acknowledged_at") OR OLD."acknowledged_by_id" IS DISTINCT FROM (NEW."acknowledged_by_id") OR OLD."assignee_id" IS DISTINCT FROM (NEW."assignee_id") OR OLD."check_key" IS DISTINCT FROM (NEW."check_key") OR OLD."fingerprint" IS DISTINCT FROM (NEW."fingerprint") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at") OR OLD."opened_by_id" IS DISTINCT FROM (NEW."opened_by_id") OR OLD."pipeline_id" IS DISTINCT FROM (NEW."pipeline_id") OR OLD."recovered_at" IS DISTINCT FROM (NEW."recovered_at") OR OLD."resolved_at" IS DISTINCT FROM (NEW."resolved_at") OR OLD."resolved_by_id" IS DISTINCT FROM (NEW."resolved_by_id") OR OLD."round" IS DISTINCT FROM (NEW."round") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."title" IS DISTINCT FROM (NEW."title"))', func='INSERT INTO "incidents_incidentevent" ("acknowledged_at", "acknowledged_by_id", "assignee_id", "check_key", "fingerprint", "id", "kind", "last_seen_at", "next_escalation_at", "opened_at", "opened_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "recovered_at", "repeats", "resolved_at", "resolved_by_id", "round", "source", "state", "text", "title") VALUES (NEW."acknowledged_at", NEW."acknowledged_by_id", NEW."assignee_id", NEW."check_key", NEW."fingerprint", NEW."id", NEW."kind", NEW."last_seen_at", NEW."next_escalation_at", NEW."opened_at", NEW."opened_by_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."recovered_at", NEW."repeats", NEW."resolved_at", NEW."resolved_by_id", NEW."round", NEW."source", NEW."state", NEW."text", NEW."title"); RETURN NULL;', hash='788211e6171d9e9cf3a557cbf7d058d24883b263', operation='UPDATE', pgid='pgtrigger_update_update_41444', table='incidents_incident', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incident',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_incidentevent" ("acknowledged_at", "acknowledged_by_id", "assignee_id", "check_key", "fingerprint", "id", "kind", "last_seen_at", "next_escalation_at", "opened_at", "opened_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "recovered_at", "repeats", "resolved_at", "resolved_by_id", "round", "source", "state", "text", "title") VALUES (OLD."acknowledged_at", OLD."acknowledged_by_id", OLD."assignee_id", OLD."check_key", OLD."fingerprint", OLD."id", OLD."kind", OLD."last_seen_at", OLD."next_escalation_at", OLD."opened_at", OLD."opened_by_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."recovered_at", OLD."repeats", OLD."resolved_at", OLD."resolved_by_id", OLD."round", OLD."source", OLD."state", OLD."text", OLD."title"); RETURN NULL;', hash='1482cf427d9f272a2915780a211d5301effa5479', operation='DELETE', pgid='pgtrigger_delete_delete_2fefa', table='incidents_incident', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='escalationstep',
            constraint=models.UniqueConstraint(fields=('incident', 'round', 'engineer'), name='each_is_told_once_a_round'),
        ),
        migrations.AddConstraint(
            model_name='runbookrun',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('incident',), name='one_running_runbook_an_incident'),
        ),
        migrations.AddConstraint(
            model_name='runstep',
            constraint=models.UniqueConstraint(fields=('run', 'position'), name='one_step_a_place'),
        ),
        migrations.AddConstraint(
            model_name='runstep',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_incident', True)), fields=('run',), name='one_step_ends_the_incident'),
        ),
        migrations.AddConstraint(
            model_name='runstep',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('done_at', None), ('done_by', None)), models.Q(('done_at__isnull', False), ('done_by__isnull', False)), _connector='OR'), name='step_done_has_who_and_when'),
        ),
        migrations.AddConstraint(
            model_name='runstep',
            constraint=models.CheckConstraint(condition=models.Q(('ended_incident', False), ('done_at__isnull', False), _connector='OR'), name='only_a_step_done_ends_the_incident'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runstep',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_runstepevent" ("done_at", "done_by_id", "ended_incident", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "run_id", "text") VALUES (NEW."done_at", NEW."done_by_id", NEW."ended_incident", NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."position", NEW."run_id", NEW."text"); RETURN NULL;', hash='fb6e15bf0cd74261b07c70d8a5243a3da47e4139', operation='INSERT', pgid='pgtrigger_insert_insert_da711', table='incidents_runstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runstep',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "incidents_runstepevent" ("done_at", "done_by_id", "ended_incident", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "run_id", "text") VALUES (NEW."done_at", NEW."done_by_id", NEW."ended_incident", NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."position", NEW."run_id", NEW."text"); RETURN NULL;', hash='f9d2b3a25e5c0936f808d3294436d0b999945703', operation='UPDATE', pgid='pgtrigger_update_update_efc4d', table='incidents_runstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runstep',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_runstepevent" ("done_at", "done_by_id", "ended_incident", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "run_id", "text") VALUES (OLD."done_at", OLD."done_by_id", OLD."ended_incident", OLD."id", OLD."note", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."run_id", OLD."text"); RETURN NULL;', hash='bdc7b6c05c99d7bf2ccc9466061f0348b2181384', operation='DELETE', pgid='pgtrigger_delete_delete_4afc0', table='incidents_runstep', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='timelineentry',
            index=models.Index(fields=['incident', 'at'], name='entry_of_incident'),
        ),
    ]
