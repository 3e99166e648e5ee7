import datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('scheduling', '0001_initial'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='rotation',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='rotation',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='rotation',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='rotation',
            name='drill_changed_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When the schedule of its drills last changed.', null=True),
        ),
        migrations.AddField(
            model_name='rotation',
            name='drill_time',
            field=models.TimeField(default=datetime.time(11, 0), help_text="Local time in the rotation's time zone."),
        ),
        migrations.AddField(
            model_name='rotation',
            name='drill_weekday',
            field=models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=1),
        ),
        migrations.AddField(
            model_name='rotation',
            name='weekly_drill',
            field=models.BooleanField(default=False, help_text='Start a drill once a week for the engineer on call. It is marked as a drill everywhere.'),
        ),
        migrations.AddField(
            model_name='rotationevent',
            name='drill_changed_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When the schedule of its drills last changed.', null=True),
        ),
        migrations.AddField(
            model_name='rotationevent',
            name='drill_time',
            field=models.TimeField(default=datetime.time(11, 0), help_text="Local time in the rotation's time zone."),
        ),
        migrations.AddField(
            model_name='rotationevent',
            name='drill_weekday',
            field=models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=1),
        ),
        migrations.AddField(
            model_name='rotationevent',
            name='weekly_drill',
            field=models.BooleanField(default=False, help_text='Start a drill once a week for the engineer on call. It is marked as a drill everywhere.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotation',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_rotationevent" ("archived_at", "description", "drill_changed_at", "drill_time", "drill_weekday", "handoff_time", "handoff_weekday", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_introduction", "policy_name", "policy_rules", "slug", "time_zone", "weekly_drill") VALUES (NEW."archived_at", NEW."description", NEW."drill_changed_at", NEW."drill_time", NEW."drill_weekday", NEW."handoff_time", NEW."handoff_weekday", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."policy_introduction", NEW."policy_name", NEW."policy_rules", NEW."slug", NEW."time_zone", NEW."weekly_drill"); RETURN NULL;', hash='13cd1f527606c066d79c3da55bd16e464f1dfbc4', operation='INSERT', pgid='pgtrigger_insert_insert_199d3', table='scheduling_rotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotation',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "scheduling_rotationevent" ("archived_at", "description", "drill_changed_at", "drill_time", "drill_weekday", "handoff_time", "handoff_weekday", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_introduction", "policy_name", "policy_rules", "slug", "time_zone", "weekly_drill") VALUES (NEW."archived_at", NEW."description", NEW."drill_changed_at", NEW."drill_time", NEW."drill_weekday", NEW."handoff_time", NEW."handoff_weekday", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."policy_introduction", NEW."policy_name", NEW."policy_rules", NEW."slug", NEW."time_zone", NEW."weekly_drill"); RETURN NULL;', hash='7deac434c30fccedeb302e3a75e91c994add7c9a', operation='UPDATE', pgid='pgtrigger_update_update_ba172', table='scheduling_rotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotation',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_rotationevent" ("archived_at", "description", "drill_changed_at", "drill_time", "drill_weekday", "handoff_time", "handoff_weekday", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_introduction", "policy_name", "policy_rules", "slug", "time_zone", "weekly_drill") VALUES (OLD."archived_at", OLD."description", OLD."drill_changed_at", OLD."drill_time", OLD."drill_weekday", OLD."handoff_time", OLD."handoff_weekday", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."policy_introduction", OLD."policy_name", OLD."policy_rules", OLD."slug", OLD."time_zone", OLD."weekly_drill"); RETURN NULL;', hash='e8bb7cf7ceb7f8ff3ddb87587d5aea72f70c95fa', operation='DELETE', pgid='pgtrigger_delete_delete_3bdb4', table='scheduling_rotation', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='rotation',
            constraint=models.CheckConstraint(condition=models.Q(('drill_weekday__gte', 0), ('drill_weekday__lte', 6)), name='rotation_drills_on_a_weekday'),
        ),
    ]
