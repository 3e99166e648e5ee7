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
        ('scheduling', '0001_initial'),
        ('team_channels', '0001_initial'),
        ('validation', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='checkfailure',
            name='external_check',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='channel_failure', to='validation.externalcheck'),
        ),
        migrations.AddField(
            model_name='checkfailure',
            name='parent_check',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='channel_failure', to='validation.check'),
        ),
        migrations.AddField(
            model_name='teamchannel',
            name='created_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='teamchannel',
            name='pipeline',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='team_channels', to='pipelines.pipeline'),
        ),
        migrations.AddField(
            model_name='teamchannel',
            name='rotation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='team_channels', to='scheduling.rotation'),
        ),
        migrations.AddField(
            model_name='teamchannel',
            name='switched_off_by',
            field=models.ForeignKey(blank=True, help_text='Empty if the channel was turned off because it no longer exists.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='channeldelivery',
            name='channel',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='team_channels.teamchannel'),
        ),
        migrations.AddField(
            model_name='teamchannelevent',
            name='created_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='teamchannelevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='teamchannelevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='history', to='team_channels.teamchannel'),
        ),
        migrations.AddField(
            model_name='teamchannelevent',
            name='pipeline',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline'),
        ),
        migrations.AddField(
            model_name='teamchannelevent',
            name='rotation',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation'),
        ),
        migrations.AddField(
            model_name='teamchannelevent',
            name='switched_off_by',
            field=models.ForeignKey(blank=True, db_constraint=False, help_text='Empty if the channel was turned off because it no longer exists.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='checkfailure',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('external_check', None), ('parent_check__isnull', False)), models.Q(('external_check__isnull', False), ('parent_check', None)), _connector='OR'), name='check_failure_has_one_check'),
        ),
        migrations.AddIndex(
            model_name='teamchannel',
            index=models.Index(condition=models.Q(('reported_at', None), ('switched_off_at__isnull', False), ('switched_off_by', None)), fields=['switched_off_at'], name='channel_to_report'),
        ),
        migrations.AddConstraint(
            model_name='teamchannel',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('pipeline__isnull', False), ('rotation', None)), models.Q(('pipeline', None), ('rotation__isnull', False)), _connector='OR'), name='channel_has_one_owner'),
        ),
        migrations.AddConstraint(
            model_name='teamchannel',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='channel_has_a_name'),
        ),
        migrations.AddConstraint(
            model_name='teamchannel',
            constraint=models.CheckConstraint(condition=models.Q(('user_group', ''), models.Q(('kind', 'slack'), ('rotation__isnull', False)), _connector='OR'), name='user_group_is_of_a_rotation_in_slack'),
        ),
        migrations.AddConstraint(
            model_name='teamchannel',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'webhook'), _negated=True), models.Q(('secret', ''), _negated=True), _connector='OR'), name='webhook_has_a_secret'),
        ),
        migrations.AddConstraint(
            model_name='teamchannel',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('previous_secret', ''), ('previous_secret_until', None)), ('previous_secret_until__isnull', False), _connector='OR'), name='previous_secret_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='teamchannel',
            constraint=models.CheckConstraint(condition=models.Q(('reported_at', None), ('switched_off_at__isnull', False), _connector='OR'), name='channel_reported_is_off'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='teamchannel',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "team_channels_teamchannelevent" ("created_at", "created_by_id", "events", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id", "shown_as", "switched_off_at", "switched_off_by_id", "user_group") VALUES (NEW."created_at", NEW."created_by_id", NEW."events", NEW."id", NEW."kind", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."rotation_id", NEW."shown_as", NEW."switched_off_at", NEW."switched_off_by_id", NEW."user_group"); RETURN NULL;', hash='6602c480d3ab8743d17fb9315283623957560caa', operation='INSERT', pgid='pgtrigger_insert_insert_97e90', table='team_channels_teamchannel', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='teamchannel',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."events" IS DISTINCT FROM (NEW."events") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."shown_as" IS DISTINCT FROM (NEW."shown_as") OR OLD."switched_off_at" IS DISTINCT FROM (NEW."switched_off_at") OR OLD."user_group" IS DISTINCT FROM (NEW."user_group"))', func='INSERT INTO "team_channels_teamchannelevent" ("created_at", "created_by_id", "events", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id", "shown_as", "switched_off_at", "switched_off_by_id", "user_group") VALUES (NEW."created_at", NEW."created_by_id", NEW."events", NEW."id", NEW."kind", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."rotation_id", NEW."shown_as", NEW."switched_off_at", NEW."switched_off_by_id", NEW."user_group"); RETURN NULL;', hash='864d9ad8ba00f84945edcba975c3e41ce09a3120', operation='UPDATE', pgid='pgtrigger_update_update_c8b2c', table='team_channels_teamchannel', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='teamchannel',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "team_channels_teamchannelevent" ("created_at", "created_by_id", "events", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id", "shown_as", "switched_off_at", "switched_off_by_id", "user_group") VALUES (OLD."created_at", OLD."created_by_id", OLD."events", OLD."id", OLD."kind", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."rotation_id", OLD."shown_as", OLD."switched_off_at", OLD."switched_off_by_id", OLD."user_group"); RETURN NULL;', hash='4fbd8744a666d2a884d429cb11c8a4ec981e813b', operation='DELETE', pgid='pgtrigger_delete_delete_8290c', table='team_channels_teamchannel', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='channeldelivery',
            index=models.Index(condition=models.Q(('state__in', ('pending', 'sending'))), fields=['due_at', 'id'], name='channel_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='channeldelivery',
            index=models.Index(fields=['channel', '-id'], name='delivery_of_channel'),
        ),
        migrations.AddIndex(
            model_name='channeldelivery',
            index=models.Index(fields=['expires_at'], name='channel_delivery_expiry'),
        ),
        migrations.AddConstraint(
            model_name='channeldelivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'sending'), ('token__isnull', False)), models.Q(models.Q(('state', 'sending'), _negated=True), ('lease_until', None), ('token', None)), _connector='OR'), name='channeldelivery_being_sent_has_a_lease'),
        ),
        migrations.AddConstraint(
            model_name='channeldelivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at', None)), _connector='OR'), name='channeldelivery_sent_has_an_instant'),
        ),
        migrations.AddConstraint(
            model_name='channeldelivery',
            constraint=models.UniqueConstraint(fields=('channel', 'event_id'), name='channel_gets_an_event_once'),
        ),
    ]
