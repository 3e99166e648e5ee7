import common.fields
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.manager
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from common.initial_migration import InitialMigration


class Migration(InitialMigration):

    initial = True

    dependencies = [
        ('people', '__first__'),
        ('pghistory', '0007_auto_20250421_0444'),
        ('pipelines', '0001_initial'),
        ('scheduling', '0001_initial'),
        ('validation', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='SlackUserGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Failed attempts in a row.')),
                ('retry_at', models.DateTimeField(blank=True, help_text='Next attempt after a failure.', null=True)),
                ('problem', models.CharField(blank=True, help_text='Why the last attempt failed.', max_length=500)),
                ('group_id', models.CharField(max_length=32, unique=True, verbose_name='group ID')),
                ('members', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), blank=True, default=list, help_text='Slack IDs.', size=None)),
                ('synced_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'Slack user group',
                'ordering': ['group_id'],
            },
        ),
        migrations.CreateModel(
            name='TeamChannel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('slack', 'Slack'), ('webhook', 'Webhook'), ('teams', 'Microsoft Teams'), ('mattermost', 'Mattermost'), ('discord', 'Discord'), ('google_chat', 'Google Chat')], max_length=12)),
                ('name', models.CharField(help_text='The name that the team uses, such as #data-alerts.', max_length=80)),
                ('address', common.fields.EncryptedTextField(editable=False)),
                ('shown_as', models.CharField(help_text='The host, without secrets.', max_length=255)),
                ('secret', common.fields.EncryptedTextField(blank=True, editable=False)),
                ('previous_secrets', common.fields.EncryptedTextField(blank=True, editable=False)),
                ('user_group', models.CharField(blank=True, help_text='Slack’s ID of the group whose members are the engineers on call.', max_length=32)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('incident.opened', 'Incident opened'), ('incident.acknowledged', 'Incident acknowledged'), ('incident.reassigned', 'Incident reassigned'), ('incident.escalated', 'Incident escalated'), ('incident.resolved', 'Incident resolved'), ('incident.reopened', 'Incident reopened'), ('check.failed', 'Check failed'), ('check.recovered', 'Check recovered'), ('restatement.opened', 'Published numbers changed'), ('restatement.settled', 'Changed numbers are safe to use'), ('shift.started', 'Shift started'), ('shift.ended', 'Shift ended, with the hand-off'), ('week.started', 'Who is on call this week (Mondays)')], max_length=32), help_text='Events that the channel receives.', size=None)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_delivered_at', models.DateTimeField(blank=True, help_text='When it last accepted a message.', null=True)),
                ('problem', models.CharField(blank=True, help_text='Why the last message was not accepted.', max_length=500)),
                ('problem_at', models.DateTimeField(blank=True, null=True)),
                ('retry_at', models.DateTimeField(blank=True, editable=False, help_text='Nothing is sent until then.', null=True)),
                ('switched_off_at', models.DateTimeField(blank=True, null=True)),
                ('reported_at', models.DateTimeField(blank=True, editable=False, help_text='When people were notified that it no longer exists.', null=True)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, help_text='When it was deleted. It is purged once it can no longer be restored.', null=True)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipeline', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='team_channels', to='pipelines.pipeline')),
                ('rotation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='team_channels', to='scheduling.rotation')),
                ('switched_off_by', models.ForeignKey(blank=True, help_text='Empty if the channel was turned off because it no longer exists.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'channel',
                'ordering': ['name', 'pk'],
                'base_manager_name': 'all_objects',
                'indexes': [models.Index(condition=models.Q(('reported_at', None), ('switched_off_at__isnull', False), ('switched_off_by', None)), fields=['switched_off_at'], name='channel_to_report')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('pipeline__isnull', False), ('rotation', None)), models.Q(('pipeline', None), ('rotation__isnull', False)), _connector='OR'), name='channel_has_one_owner'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='channel_has_a_name'), models.CheckConstraint(condition=models.Q(('user_group', ''), models.Q(('kind', 'slack'), ('rotation__isnull', False)), _connector='OR'), name='user_group_is_of_a_rotation_in_slack'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'webhook'), _negated=True), models.Q(('secret', ''), _negated=True), _connector='OR'), name='webhook_has_a_secret'), models.CheckConstraint(condition=models.Q(('reported_at', None), ('switched_off_at__isnull', False), _connector='OR'), name='channel_reported_is_off')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('all_objects', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='CheckFailure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
                ('external_check', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='channel_failure', to='validation.externalcheck')),
                ('parent_check', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='channel_failure', to='validation.check')),
            ],
            options={
                'ordering': ['since', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('external_check', None), ('parent_check__isnull', False)), models.Q(('external_check__isnull', False), ('parent_check', None)), _connector='OR'), name='check_failure_has_one_check')],
            },
        ),
        migrations.CreateModel(
            name='ChannelDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Scheduled'), ('sending', 'Sending'), ('sent', 'Sent'), ('failed', 'Failed'), ('dropped', 'Dropped (obsolete)')], default='pending', max_length=8)),
                ('due_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(help_text='If it has not been sent by then, it is dropped.')),
                ('token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('retry_at', models.DateTimeField(blank=True, help_text='Next attempt after a failure.', null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.CharField(blank=True, help_text='Why it was not sent.', max_length=500)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('event', models.CharField(choices=[('incident.opened', 'Incident opened'), ('incident.acknowledged', 'Incident acknowledged'), ('incident.reassigned', 'Incident reassigned'), ('incident.escalated', 'Incident escalated'), ('incident.resolved', 'Incident resolved'), ('incident.reopened', 'Incident reopened'), ('check.failed', 'Check failed'), ('check.recovered', 'Check recovered'), ('restatement.opened', 'Published numbers changed'), ('restatement.settled', 'Changed numbers are safe to use'), ('shift.started', 'Shift started'), ('shift.ended', 'Shift ended, with the hand-off'), ('week.started', 'Who is on call this week (Mondays)'), ('test', 'Test')], max_length=32)),
                ('event_id', models.CharField(help_text='Identifies the event, the same for every attempt.', max_length=64)),
                ('occurred_at', models.DateTimeField()),
                ('title', models.CharField(max_length=250)),
                ('text', models.TextField(blank=True)),
                ('path', models.CharField(help_text='Path of the page that the event is about.', max_length=200)),
                ('facts', models.JSONField(blank=True, default=list, help_text='Pairs of a label and a value.')),
                ('data', models.JSONField(blank=True, default=dict, help_text='The event as webhooks get it.')),
                ('response_status', models.PositiveSmallIntegerField(blank=True, help_text='HTTP status of the last attempt.', null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='team_channels.teamchannel')),
            ],
            options={
                'verbose_name_plural': 'channel deliveries',
                'ordering': ['-pk'],
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('state__in', ('pending', 'sending'))), fields=['due_at', 'id'], name='channel_delivery_due'), models.Index(fields=['channel', '-id'], name='delivery_of_channel'), models.Index(fields=['expires_at'], name='channel_delivery_expiry')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'sending'), ('token__isnull', False)), models.Q(models.Q(('state', 'sending'), _negated=True), ('lease_until', None), ('token', None)), _connector='OR'), name='channeldelivery_being_sent_has_a_lease'), models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at', None)), _connector='OR'), name='channeldelivery_sent_has_an_instant'), models.UniqueConstraint(fields=('channel', 'event_id'), name='channel_gets_an_event_once')],
            },
        ),
        migrations.CreateModel(
            name='TeamChannelEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('kind', models.CharField(choices=[('slack', 'Slack'), ('webhook', 'Webhook'), ('teams', 'Microsoft Teams'), ('mattermost', 'Mattermost'), ('discord', 'Discord'), ('google_chat', 'Google Chat')], max_length=12)),
                ('name', models.CharField(help_text='The name that the team uses, such as #data-alerts.', max_length=80)),
                ('shown_as', models.CharField(help_text='The host, without secrets.', max_length=255)),
                ('user_group', models.CharField(blank=True, help_text='Slack’s ID of the group whose members are the engineers on call.', max_length=32)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('incident.opened', 'Incident opened'), ('incident.acknowledged', 'Incident acknowledged'), ('incident.reassigned', 'Incident reassigned'), ('incident.escalated', 'Incident escalated'), ('incident.resolved', 'Incident resolved'), ('incident.reopened', 'Incident reopened'), ('check.failed', 'Check failed'), ('check.recovered', 'Check recovered'), ('restatement.opened', 'Published numbers changed'), ('restatement.settled', 'Changed numbers are safe to use'), ('shift.started', 'Shift started'), ('shift.ended', 'Shift ended, with the hand-off'), ('week.started', 'Who is on call this week (Mondays)')], max_length=32), help_text='Events that the channel receives.', size=None)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('switched_off_at', models.DateTimeField(blank=True, null=True)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, help_text='When it was deleted. It is purged once it can no longer be restored.', null=True)),
                ('created_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='history', to='team_channels.teamchannel')),
                ('pipeline', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('rotation', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
                ('switched_off_by', models.ForeignKey(blank=True, db_constraint=False, help_text='Empty if the channel was turned off because it no longer exists.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='teamchannel',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "team_channels_teamchannelevent" ("created_at", "created_by_id", "deleted_at", "events", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id", "shown_as", "switched_off_at", "switched_off_by_id", "user_group") VALUES (NEW."created_at", NEW."created_by_id", NEW."deleted_at", NEW."events", NEW."id", NEW."kind", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."rotation_id", NEW."shown_as", NEW."switched_off_at", NEW."switched_off_by_id", NEW."user_group"); RETURN NULL;', hash='20eb231fffdba41a771a394125f51055fd1f5b82', operation='INSERT', pgid='pgtrigger_insert_insert_97e90', table='team_channels_teamchannel', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='teamchannel',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."events" IS DISTINCT FROM (NEW."events") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."shown_as" IS DISTINCT FROM (NEW."shown_as") OR OLD."switched_off_at" IS DISTINCT FROM (NEW."switched_off_at") OR OLD."user_group" IS DISTINCT FROM (NEW."user_group"))', func='INSERT INTO "team_channels_teamchannelevent" ("created_at", "created_by_id", "deleted_at", "events", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id", "shown_as", "switched_off_at", "switched_off_by_id", "user_group") VALUES (NEW."created_at", NEW."created_by_id", NEW."deleted_at", NEW."events", NEW."id", NEW."kind", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."rotation_id", NEW."shown_as", NEW."switched_off_at", NEW."switched_off_by_id", NEW."user_group"); RETURN NULL;', hash='db8265862499674d2637f72f80516b308aac9436', operation='UPDATE', pgid='pgtrigger_update_update_c8b2c', table='team_channels_teamchannel', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='teamchannel',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "team_channels_teamchannelevent" ("created_at", "created_by_id", "deleted_at", "events", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id", "shown_as", "switched_off_at", "switched_off_by_id", "user_group") VALUES (OLD."created_at", OLD."created_by_id", OLD."deleted_at", OLD."events", OLD."id", OLD."kind", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."rotation_id", OLD."shown_as", OLD."switched_off_at", OLD."switched_off_by_id", OLD."user_group"); RETURN NULL;', hash='08a1d2e80838b4abdaf48c5e38ccbd8d9b0ef661', operation='DELETE', pgid='pgtrigger_delete_delete_8290c', table='team_channels_teamchannel', when='AFTER')),
        ),
    ]
