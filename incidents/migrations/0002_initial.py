import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('incidents', '0001_initial'),
        ('pghistory', '0007_auto_20250421_0444'),
        ('runbooks', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='runbookrun',
            name='runbook',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='runbooks.runbook'),
        ),
        migrations.AddField(
            model_name='runbookrun',
            name='started_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='runstep',
            name='done_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='runstep',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='incidents.runbookrun'),
        ),
        migrations.AddField(
            model_name='runstepevent',
            name='done_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='runstepevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='runstepevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='incidents.runstep'),
        ),
        migrations.AddField(
            model_name='runstepevent',
            name='run',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='incidents.runbookrun'),
        ),
        migrations.AddField(
            model_name='timelineentry',
            name='by',
            field=models.ForeignKey(blank=True, help_text='Empty for the system.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='timelineentry',
            name='incident',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='timeline', to='incidents.incident'),
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
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('next_escalation_at__isnull', False)), fields=['next_escalation_at'], name='incident_due'),
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
            constraint=models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='incident_has_a_title'),
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
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_incidentevent" ("acknowledged_at", "acknowledged_by_id", "assignee_id", "check_id", "fingerprint", "id", "kind", "last_seen_at", "next_escalation_at", "opened_at", "opened_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "recovered_at", "repeats", "resolved_at", "resolved_by_id", "round", "source", "state", "text", "title") VALUES (NEW."acknowledged_at", NEW."acknowledged_by_id", NEW."assignee_id", NEW."check_id", NEW."fingerprint", NEW."id", NEW."kind", NEW."last_seen_at", NEW."next_escalation_at", NEW."opened_at", NEW."opened_by_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."recovered_at", NEW."repeats", NEW."resolved_at", NEW."resolved_by_id", NEW."round", NEW."source", NEW."state", NEW."text", NEW."title"); RETURN NULL;', hash='33dbbce577730f846e0dcc212ad2e369c4800740', operation='INSERT', pgid='pgtrigger_insert_insert_edffb', table='incidents_incident', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incident',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."acknowledged_at" IS DISTINCT FROM (NEW."acknowledged_at") OR OLD."acknowledged_by_id" IS DISTINCT FROM (NEW."acknowledged_by_id") OR OLD."assignee_id" IS DISTINCT FROM (NEW."assignee_id") OR OLD."check_id" IS DISTINCT FROM (NEW."check_id") OR OLD."fingerprint" IS DISTINCT FROM (NEW."fingerprint") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at") OR OLD."opened_by_id" IS DISTINCT FROM (NEW."opened_by_id") OR OLD."pipeline_id" IS DISTINCT FROM (NEW."pipeline_id") OR OLD."recovered_at" IS DISTINCT FROM (NEW."recovered_at") OR OLD."resolved_at" IS DISTINCT FROM (NEW."resolved_at") OR OLD."resolved_by_id" IS DISTINCT FROM (NEW."resolved_by_id") OR OLD."round" IS DISTINCT FROM (NEW."round") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."title" IS DISTINCT FROM (NEW."title"))', func='INSERT INTO "incidents_incidentevent" ("acknowledged_at", "acknowledged_by_id", "assignee_id", "check_id", "fingerprint", "id", "kind", "last_seen_at", "next_escalation_at", "opened_at", "opened_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "recovered_at", "repeats", "resolved_at", "resolved_by_id", "round", "source", "state", "text", "title") VALUES (NEW."acknowledged_at", NEW."acknowledged_by_id", NEW."assignee_id", NEW."check_id", NEW."fingerprint", NEW."id", NEW."kind", NEW."last_seen_at", NEW."next_escalation_at", NEW."opened_at", NEW."opened_by_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."recovered_at", NEW."repeats", NEW."resolved_at", NEW."resolved_by_id", NEW."round", NEW."source", NEW."state", NEW."text", NEW."title"); RETURN NULL;', hash='3c08e5836d4c6be3b4423c86e38621eb3adb7529', operation='UPDATE', pgid='pgtrigger_update_update_41444', table='incidents_incident', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='incident',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_incidentevent" ("acknowledged_at", "acknowledged_by_id", "assignee_id", "check_id", "fingerprint", "id", "kind", "last_seen_at", "next_escalation_at", "opened_at", "opened_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "recovered_at", "repeats", "resolved_at", "resolved_by_id", "round", "source", "state", "text", "title") VALUES (OLD."acknowledged_at", OLD."acknowledged_by_id", OLD."assignee_id", OLD."check_id", OLD."fingerprint", OLD."id", OLD."kind", OLD."last_seen_at", OLD."next_escalation_at", OLD."opened_at", OLD."opened_by_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."recovered_at", OLD."repeats", OLD."resolved_at", OLD."resolved_by_id", OLD."round", OLD."source", OLD."state", OLD."text", OLD."title"); RETURN NULL;', hash='6f2bd354297575d0539d98b146faea1889e60ff5', operation='DELETE', pgid='pgtrigger_delete_delete_2fefa', table='incidents_incident', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='escalationstep',
            constraint=models.UniqueConstraint(fields=('incident', 'round', 'engineer'), name='one_notification_per_round'),
        ),
        migrations.AddConstraint(
            model_name='runbookrun',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('incident',), name='one_active_run_per_incident'),
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
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_runstepevent" ("done_at", "done_by_id", "fixed_incident", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "run_id", "text") VALUES (NEW."done_at", NEW."done_by_id", NEW."fixed_incident", NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."position", NEW."run_id", NEW."text"); RETURN NULL;', hash='739db2d7c3c88dec2cfba8510286b58a428447ab', operation='INSERT', pgid='pgtrigger_insert_insert_da711', table='incidents_runstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runstep',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "incidents_runstepevent" ("done_at", "done_by_id", "fixed_incident", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "run_id", "text") VALUES (NEW."done_at", NEW."done_by_id", NEW."fixed_incident", NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."position", NEW."run_id", NEW."text"); RETURN NULL;', hash='66085abea853af40816ca69a15fe38d8b566886b', operation='UPDATE', pgid='pgtrigger_update_update_efc4d', table='incidents_runstep', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runstep',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "incidents_runstepevent" ("done_at", "done_by_id", "fixed_incident", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "run_id", "text") VALUES (OLD."done_at", OLD."done_by_id", OLD."fixed_incident", OLD."id", OLD."note", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."run_id", OLD."text"); RETURN NULL;', hash='f36d668dc957b52dbac22d8497bd15f0661356fc', operation='DELETE', pgid='pgtrigger_delete_delete_4afc0', table='incidents_runstep', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='timelineentry',
            index=models.Index(fields=['incident', 'id'], name='timeline_of_incident'),
        ),
    ]
