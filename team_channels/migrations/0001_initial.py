import common.fields
import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
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
            ],
            options={
                'verbose_name_plural': 'channel deliveries',
                'ordering': ['-pk'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='CheckFailure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
            ],
            options={
                'ordering': ['since', 'pk'],
            },
        ),
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
                ('previous_secret', common.fields.EncryptedTextField(blank=True, editable=False)),
                ('previous_secret_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('user_group', models.CharField(blank=True, help_text='Slack’s ID of the group whose members are the engineers on call.', max_length=32)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('incident.opened', 'Incident opened'), ('incident.acknowledged', 'Incident acknowledged'), ('incident.reassigned', 'Incident reassigned'), ('incident.escalated', 'Incident escalated'), ('incident.resolved', 'Incident resolved'), ('incident.reopened', 'Incident reopened'), ('check.failed', 'Check failed'), ('check.recovered', 'Check recovered'), ('restatement.opened', 'Published numbers changed'), ('restatement.settled', 'Changed numbers are safe to use'), ('shift.started', 'Shift started'), ('shift.ended', 'Shift ended, with the hand-off'), ('week.started', 'Who is on call this week (Mondays)')], max_length=32), help_text='Events that the channel receives.', size=None)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_delivered_at', models.DateTimeField(blank=True, help_text='When it last accepted a message.', null=True)),
                ('problem', models.CharField(blank=True, help_text='Why the last message was not accepted.', max_length=500)),
                ('problem_at', models.DateTimeField(blank=True, null=True)),
                ('retry_at', models.DateTimeField(blank=True, editable=False, help_text='Nothing is sent until then.', null=True)),
                ('switched_off_at', models.DateTimeField(blank=True, null=True)),
                ('reported_at', models.DateTimeField(blank=True, editable=False, help_text='When people were notified that it no longer exists.', null=True)),
            ],
            options={
                'verbose_name': 'channel',
                'ordering': ['name', 'pk'],
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
            ],
            options={
                'abstract': False,
            },
        ),
    ]
