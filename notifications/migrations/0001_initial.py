import common.fields
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
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
    ]

    operations = [
        migrations.CreateModel(
            name='NotificationRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('urgency', models.CharField(choices=[('high', 'High urgency'), ('low', 'Low urgency')], max_length=4)),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('chat', 'Chat'), ('ntfy', 'ntfy'), ('gotify', 'Gotify'), ('teams', 'Microsoft Teams'), ('slack_dm', 'Slack'), ('slack', 'Slack webhook'), ('webhook', 'Webhook'), ('push', 'Push'), ('sms', 'SMS'), ('voice', 'Voice call')], max_length=8)),
                ('delay_minutes', models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(720)])),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notification_rules', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['person', 'urgency', 'delay_minutes', 'channel'],
                'constraints': [models.UniqueConstraint(fields=('person', 'urgency', 'channel', 'delay_minutes'), name='notification_rule_is_there_once'), models.CheckConstraint(condition=models.Q(('delay_minutes__lte', 720)), name='notification_rule_delay_is_limited')],
            },
        ),
        migrations.CreateModel(
            name='PhoneAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account_sid', models.CharField(help_text='Starts with AC.', max_length=34, verbose_name='account SID')),
                ('auth_token', common.fields.EncryptedTextField(editable=False)),
                ('from_number', models.CharField(help_text='A number of the account, such as +15005550006.', max_length=16)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='there_is_one_phone_account')],
            },
        ),
        migrations.CreateModel(
            name='PrivateHost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('host', models.CharField(help_text='Such as gotify.example.org.', max_length=253)),
                ('port', models.PositiveIntegerField(blank=True, help_text='Leave empty for 443 and 8443.', null=True)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'verbose_name': 'allowed host',
                'ordering': ['host', 'port'],
                'constraints': [models.UniqueConstraint(fields=('host', 'port'), name='private_host_is_listed_once', nulls_distinct=False, violation_error_message='This host is already on the list.'), models.CheckConstraint(condition=models.Q(('host', django.db.models.functions.text.Lower('host')), models.Q(('host', ''), _negated=True)), name='private_host_in_lower_case', violation_error_message='Enter the host in lower case.'), models.CheckConstraint(condition=models.Q(('port', None), ('port__range', (1, 65535)), _connector='OR'), name='private_host_has_a_port', violation_error_message='Enter a port from 1 to 65535.')],
            },
        ),
        migrations.CreateModel(
            name='PushDevice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('endpoint', common.fields.EncryptedTextField(editable=False)),
                ('endpoint_digest', models.CharField(editable=False, help_text='SHA-256 of the endpoint.', max_length=64, unique=True)),
                ('service', models.CharField(help_text='Host of the push service.', max_length=255)),
                ('p256dh', common.fields.EncryptedTextField(editable=False)),
                ('auth', common.fields.EncryptedTextField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('confirmed_at', models.DateTimeField(blank=True, help_text='When the user confirmed a test message.', null=True)),
                ('last_delivered_at', models.DateTimeField(blank=True, help_text='When its push service accepted a message.', null=True)),
                ('retry_at', models.DateTimeField(blank=True, editable=False, help_text='Nothing is sent until then, because the push service asked for a pause.', null=True)),
                ('problem', models.CharField(blank=True, help_text='Why the last message was not accepted.', max_length=500)),
                ('switched_off_at', models.DateTimeField(blank=True, help_text='When its push service said it is gone.', null=True)),
                ('reported_at', models.DateTimeField(blank=True, editable=False, help_text='When the user was notified that it is turned off.', null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='push_devices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['person', 'created_at', 'pk'],
                'indexes': [models.Index(condition=models.Q(('reported_at', None), ('switched_off_at__isnull', False)), fields=['switched_off_at'], name='push_device_to_report')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reported_at', None), ('switched_off_at__isnull', False), _connector='OR'), name='push_device_reported_is_off')],
            },
        ),
        migrations.CreateModel(
            name='QuietHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.TimeField(verbose_name='from')),
                ('ends_at', models.TimeField(verbose_name='until')),
                ('weekends', models.BooleanField(default=False, help_text='Saturday and Sunday are quiet all day.')),
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='quiet_hours', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'quiet hours',
                'ordering': ['person'],
                'constraints': [models.CheckConstraint(condition=models.Q(('starts_at', models.F('ends_at')), _negated=True), name='quiet_hours_have_a_length')],
            },
        ),
        migrations.CreateModel(
            name='SlackAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Failed attempts in a row.')),
                ('retry_at', models.DateTimeField(blank=True, help_text='Next attempt after a failure.', null=True)),
                ('problem', models.CharField(blank=True, help_text='Why the last attempt failed.', max_length=500)),
                ('response_url', common.fields.EncryptedTextField(editable=False)),
                ('text', models.TextField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='SlackApp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('bot_token', common.fields.EncryptedTextField(editable=False)),
                ('signing_secret', common.fields.EncryptedTextField(editable=False)),
            ],
            options={
                'verbose_name': 'Slack app',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='there_is_one_slack_app')],
            },
        ),
        migrations.CreateModel(
            name='SlackMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(help_text='The address that was looked up.', max_length=254)),
                ('slack_id', models.CharField(blank=True, help_text='Such as U012AB3CD; empty if Slack has no member.', max_length=32, verbose_name='Slack ID')),
                ('looked_up_at', models.DateTimeField()),
                ('problem', models.CharField(blank=True, help_text='Why no member was found.', max_length=500)),
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='slack_member', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'Slack member',
                'ordering': ['person'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('slack_id', ''), _negated=True), fields=('slack_id',), name='slack_member_is_of_one_person')],
            },
        ),
        migrations.CreateModel(
            name='SlackRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('signature', models.CharField(editable=False, max_length=80, unique=True)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='VapidKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('private_key', common.fields.EncryptedTextField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'verbose_name': 'VAPID key',
                'verbose_name_plural': 'VAPID keys',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='there_is_one_vapid_key')],
            },
        ),
        migrations.CreateModel(
            name='ChannelPreference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type', models.CharField(help_text='Name of the notification type.', max_length=40)),
                ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('email', 'E-mail'), ('chat', 'Chat'), ('ntfy', 'ntfy'), ('gotify', 'Gotify'), ('teams', 'Microsoft Teams'), ('slack_dm', 'Slack'), ('slack', 'Slack webhook'), ('webhook', 'Webhook'), ('push', 'Push'), ('sms', 'SMS'), ('voice', 'Voice call')], max_length=8), blank=True, default=list, size=None)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='channel_preferences', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['person', 'type'],
                'constraints': [models.UniqueConstraint(fields=('person', 'type'), name='one_preference_per_type')],
            },
        ),
        migrations.CreateModel(
            name='ContactMethod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('chat', 'Chat'), ('ntfy', 'ntfy'), ('gotify', 'Gotify'), ('teams', 'Microsoft Teams'), ('slack_dm', 'Slack'), ('slack', 'Slack webhook'), ('webhook', 'Webhook'), ('sms', 'SMS'), ('voice', 'Voice call')], max_length=8)),
                ('address', common.fields.EncryptedTextField(editable=False)),
                ('address_digest', models.CharField(editable=False, help_text='Keyed digest of the address.', max_length=64)),
                ('shown_as', models.CharField(help_text='The service or the host, without secrets.', max_length=255)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('verified_at', models.DateTimeField(blank=True, help_text='When its user last showed that messages arrive.', null=True)),
                ('code_nonce', models.CharField(blank=True, editable=False, max_length=32)),
                ('code_sent_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('code_attempts', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('last_delivered_at', models.DateTimeField(blank=True, help_text='When the service accepted a message.', null=True)),
                ('problem', models.CharField(blank=True, help_text='Why the last message was not accepted.', max_length=500)),
                ('switched_off_at', models.DateTimeField(blank=True, help_text='When the service said that it is gone.', null=True)),
                ('reported_at', models.DateTimeField(blank=True, editable=False, help_text='When the user was notified that it is turned off.', null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contact_methods', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['person', 'channel', 'created_at', 'pk'],
                'indexes': [models.Index(fields=['channel', 'address_digest'], name='contact_method_address'), models.Index(condition=models.Q(('reported_at', None), ('switched_off_at__isnull', False)), fields=['switched_off_at'], name='contact_method_to_report')],
                'constraints': [models.UniqueConstraint(fields=('person', 'channel', 'address_digest'), name='contact_method_is_added_once'), models.CheckConstraint(condition=models.Q(('reported_at', None), ('switched_off_at__isnull', False), _connector='OR'), name='contact_method_reported_is_off')],
            },
        ),
        migrations.CreateModel(
            name='EmailRejection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.EmailField(help_text='The rejected address. A later address is not affected.', max_length=254)),
                ('problem', models.CharField(help_text='Response of the mail server.', max_length=500)),
                ('rejected_at', models.DateTimeField(help_text='When it was first rejected.')),
                ('reported_at', models.DateTimeField(blank=True, editable=False, help_text='When someone was notified.', null=True)),
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='email_rejection', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'rejected e-mail address',
                'verbose_name_plural': 'rejected e-mail addresses',
                'ordering': ['person'],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('due_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(help_text='If it has not been sent by then, it is dropped.')),
                ('token', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('retry_at', models.DateTimeField(blank=True, help_text='Next attempt after a failure.', null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.CharField(blank=True, help_text='Why it was not sent.', max_length=500)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('type', models.CharField(help_text='Name of the notification type.', max_length=40)),
                ('dedup_key', models.CharField(help_text='Identifies the occurrence within its type.', max_length=200)),
                ('context', models.JSONField(default=dict, help_text='Fields of the notification.')),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('chat', 'Chat'), ('ntfy', 'ntfy'), ('gotify', 'Gotify'), ('teams', 'Microsoft Teams'), ('slack_dm', 'Slack'), ('slack', 'Slack webhook'), ('webhook', 'Webhook'), ('push', 'Push'), ('sms', 'SMS'), ('voice', 'Voice call')], default='email', max_length=8)),
                ('contact_method', models.PositiveBigIntegerField(default=0, help_text='ID of the contact method; 0 for e-mail, push, and the oldest contact method of the channel.')),
                ('provider_id', models.CharField(blank=True, help_text='ID of the SMS, the call or the Slack message at its provider.', max_length=64)),
                ('delay_minutes', models.PositiveSmallIntegerField(default=0, help_text='Delay of its notification rule; 0 is sent at once.')),
                ('subject', models.CharField(max_length=200)),
                ('text', models.TextField()),
                ('calendar_method', models.CharField(blank=True, help_text='REQUEST or CANCEL, for an invitation.', max_length=10)),
                ('calendar', models.TextField(blank=True, help_text="The invitation's iCalendar object.")),
                ('state', models.CharField(choices=[('pending', 'Scheduled'), ('sending', 'Sending'), ('sent', 'Sent'), ('failed', 'Failed'), ('dropped', 'Dropped (obsolete)'), ('merged', 'In a digest')], default='pending', max_length=8)),
                ('urgent', models.BooleanField(default=False, help_text='Goes before others, and in quiet hours too.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('merged_into', models.ForeignKey(blank=True, help_text='The digest.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged', to='notifications.message')),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-due_at', '-pk'],
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('state__in', ('pending', 'sending'))), fields=['-urgent', 'due_at', 'id'], name='message_due'), models.Index(condition=models.Q(('state', 'sending')), fields=['lease_until'], name='message_sending'), models.Index(fields=['recipient', '-due_at'], name='message_of_person'), models.Index(condition=models.Q(('state', 'failed')), fields=['-due_at'], name='message_failed'), models.Index(condition=models.Q(('channel__in', ('sms', 'voice'))), fields=['-created_at'], name='message_by_phone'), models.Index(condition=models.Q(('state__in', ('sent', 'dropped', 'merged'))), fields=['expires_at'], name='message_finished')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'sending'), ('token__isnull', False)), models.Q(models.Q(('state', 'sending'), _negated=True), ('lease_until', None), ('token', None)), _connector='OR'), name='message_being_sent_has_a_lease'), models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at', None)), _connector='OR'), name='message_sent_has_an_instant'), models.UniqueConstraint(fields=('type', 'dedup_key', 'recipient', 'channel', 'contact_method', 'delay_minutes'), name='message_is_enqueued_once'), models.CheckConstraint(condition=models.Q(models.Q(('merged_into__isnull', False), ('state', 'merged')), models.Q(models.Q(('state', 'merged'), _negated=True), ('merged_into', None)), _connector='OR'), name='message_merged_has_a_digest')],
            },
        ),
        migrations.CreateModel(
            name='NotificationPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('high_needs_one_of', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('email', 'E-mail'), ('chat', 'Chat'), ('ntfy', 'ntfy'), ('gotify', 'Gotify'), ('teams', 'Microsoft Teams'), ('slack_dm', 'Slack'), ('slack', 'Slack webhook'), ('webhook', 'Webhook'), ('push', 'Push'), ('sms', 'SMS'), ('voice', 'Voice call')], max_length=8), blank=True, default=list, help_text='High-urgency rules must include one of these channels, such as push, sms or voice. Empty for none.', size=None)),
            ],
            options={
                'verbose_name_plural': 'notification policy',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='there_is_one_notification_policy')],
            },
        ),
        migrations.CreateModel(
            name='NotificationPolicyEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('high_needs_one_of', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('email', 'E-mail'), ('chat', 'Chat'), ('ntfy', 'ntfy'), ('gotify', 'Gotify'), ('teams', 'Microsoft Teams'), ('slack_dm', 'Slack'), ('slack', 'Slack webhook'), ('webhook', 'Webhook'), ('push', 'Push'), ('sms', 'SMS'), ('voice', 'Voice call')], max_length=8), blank=True, default=list, help_text='High-urgency rules must include one of these channels, such as push, sms or voice. Empty for none.', size=None)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='notifications.notificationpolicy')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='NotificationRuleEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('urgency', models.CharField(choices=[('high', 'High urgency'), ('low', 'Low urgency')], max_length=4)),
                ('channel', models.CharField(choices=[('email', 'E-mail'), ('chat', 'Chat'), ('ntfy', 'ntfy'), ('gotify', 'Gotify'), ('teams', 'Microsoft Teams'), ('slack_dm', 'Slack'), ('slack', 'Slack webhook'), ('webhook', 'Webhook'), ('push', 'Push'), ('sms', 'SMS'), ('voice', 'Voice call')], max_length=8)),
                ('delay_minutes', models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(720)])),
                ('person', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='notifications.notificationrule')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PhoneAccountEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('account_sid', models.CharField(help_text='Starts with AC.', max_length=34, verbose_name='account SID')),
                ('from_number', models.CharField(help_text='A number of the account, such as +15005550006.', max_length=16)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='notifications.phoneaccount')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PrivateHostEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('host', models.CharField(help_text='Such as gotify.example.org.', max_length=253)),
                ('port', models.PositiveIntegerField(blank=True, help_text='Leave empty for 443 and 8443.', null=True)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='notifications.privatehost')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PushDeviceEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=60)),
                ('service', models.CharField(help_text='Host of the push service.', max_length=255)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('confirmed_at', models.DateTimeField(blank=True, help_text='When the user confirmed a test message.', null=True)),
                ('switched_off_at', models.DateTimeField(blank=True, help_text='When its push service said it is gone.', null=True)),
                ('reported_at', models.DateTimeField(blank=True, editable=False, help_text='When the user was notified that it is turned off.', null=True)),
                ('person', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='notifications.pushdevice')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='QuietHoursEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('starts_at', models.TimeField(verbose_name='from')),
                ('ends_at', models.TimeField(verbose_name='until')),
                ('weekends', models.BooleanField(default=False, help_text='Saturday and Sunday are quiet all day.')),
                ('person', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='notifications.quiethours')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SlackAppEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='notifications.slackapp')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ChannelPreferenceEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('type', models.CharField(help_text='Name of the notification type.', max_length=40)),
                ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('email', 'E-mail'), ('chat', 'Chat'), ('ntfy', 'ntfy'), ('gotify', 'Gotify'), ('teams', 'Microsoft Teams'), ('slack_dm', 'Slack'), ('slack', 'Slack webhook'), ('webhook', 'Webhook'), ('push', 'Push'), ('sms', 'SMS'), ('voice', 'Voice call')], max_length=8), blank=True, default=list, size=None)),
                ('person', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='notifications.channelpreference')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ContactMethodEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('channel', models.CharField(choices=[('chat', 'Chat'), ('ntfy', 'ntfy'), ('gotify', 'Gotify'), ('teams', 'Microsoft Teams'), ('slack_dm', 'Slack'), ('slack', 'Slack webhook'), ('webhook', 'Webhook'), ('sms', 'SMS'), ('voice', 'Voice call')], max_length=8)),
                ('shown_as', models.CharField(help_text='The service or the host, without secrets.', max_length=255)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('verified_at', models.DateTimeField(blank=True, help_text='When its user last showed that messages arrive.', null=True)),
                ('switched_off_at', models.DateTimeField(blank=True, help_text='When the service said that it is gone.', null=True)),
                ('reported_at', models.DateTimeField(blank=True, editable=False, help_text='When the user was notified that it is turned off.', null=True)),
                ('person', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='notifications.contactmethod')),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationpolicy',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_notificationpolicyevent" ("high_needs_one_of", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."high_needs_one_of", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;', hash='f6bca1a3c7c783880a2e70e72325056fb5f06d4d', operation='INSERT', pgid='pgtrigger_insert_insert_9005c', table='notifications_notificationpolicy', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationpolicy',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "notifications_notificationpolicyevent" ("high_needs_one_of", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."high_needs_one_of", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;', hash='f43afc5daa6d2f5849bc626180636f663ac888b2', operation='UPDATE', pgid='pgtrigger_update_update_e87fb', table='notifications_notificationpolicy', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationpolicy',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_notificationpolicyevent" ("high_needs_one_of", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."high_needs_one_of", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id"); RETURN NULL;', hash='736061a475cbde036efafb5ea9ccc138613f5371', operation='DELETE', pgid='pgtrigger_delete_delete_d58e7', table='notifications_notificationpolicy', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='phoneaccount',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_phoneaccountevent" ("account_sid", "from_number", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."account_sid", NEW."from_number", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;', hash='a2b305a2888763b56c2b281dcd5b80e60d4b06c0', operation='INSERT', pgid='pgtrigger_insert_insert_53213', table='notifications_phoneaccount', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='phoneaccount',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."account_sid" IS DISTINCT FROM (NEW."account_sid") OR OLD."from_number" IS DISTINCT FROM (NEW."from_number") OR OLD."id" IS DISTINCT FROM (NEW."id"))', func='INSERT INTO "notifications_phoneaccountevent" ("account_sid", "from_number", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."account_sid", NEW."from_number", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;', hash='31f47ecaea0f492b67d1818024308d27a31fe19c', operation='UPDATE', pgid='pgtrigger_update_update_1b605', table='notifications_phoneaccount', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='phoneaccount',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_phoneaccountevent" ("account_sid", "from_number", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."account_sid", OLD."from_number", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id"); RETURN NULL;', hash='db1ec0d4dfcb8466300f03595488dc757dc823bd', operation='DELETE', pgid='pgtrigger_delete_delete_55b5c', table='notifications_phoneaccount', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='privatehost',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_privatehostevent" ("created_at", "host", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "port") VALUES (NEW."created_at", NEW."host", NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."port"); RETURN NULL;', hash='a5f0f5bf85ff68302566bdec91e7b3adc051dd64', operation='INSERT', pgid='pgtrigger_insert_insert_7e123', table='notifications_privatehost', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='privatehost',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "notifications_privatehostevent" ("created_at", "host", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "port") VALUES (NEW."created_at", NEW."host", NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."port"); RETURN NULL;', hash='8a94b71c5eea2cae37a65dea2aebfa27020c1db4', operation='UPDATE', pgid='pgtrigger_update_update_a7663', table='notifications_privatehost', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='privatehost',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_privatehostevent" ("created_at", "host", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "port") VALUES (OLD."created_at", OLD."host", OLD."id", OLD."note", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."port"); RETURN NULL;', hash='512ccf6c3df22399468189b0c174c8e755950db8', operation='DELETE', pgid='pgtrigger_delete_delete_5e690', table='notifications_privatehost', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='slackapp',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_slackappevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;', hash='34684fa1f8b0545c8421927f832ff7b7ee5f2fe8', operation='INSERT', pgid='pgtrigger_insert_insert_9a3cc', table='notifications_slackapp', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='slackapp',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id"))', func='INSERT INTO "notifications_slackappevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;', hash='f7dbafa563e14673f5e13f3502ad0bc6148b0a96', operation='UPDATE', pgid='pgtrigger_update_update_1e4d3', table='notifications_slackapp', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='slackapp',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_slackappevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id"); RETURN NULL;', hash='3facd043ad358f2d56386873f90a7772777f454e', operation='DELETE', pgid='pgtrigger_delete_delete_f7783', table='notifications_slackapp', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='channelpreference',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_channelpreferenceevent" ("channels", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "type") VALUES (NEW."channels", NEW."id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."type"); RETURN NULL;', hash='59f9f07ff7df31a5187d1be9e1061e54bffe09d2', operation='INSERT', pgid='pgtrigger_insert_insert_c0511', table='notifications_channelpreference', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='channelpreference',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "notifications_channelpreferenceevent" ("channels", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "type") VALUES (NEW."channels", NEW."id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."type"); RETURN NULL;', hash='d76e4d433b8bf3006d69c8c9a8b06c820cb38e93', operation='UPDATE', pgid='pgtrigger_update_update_296e5', table='notifications_channelpreference', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='channelpreference',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_channelpreferenceevent" ("channels", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "type") VALUES (OLD."channels", OLD."id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."type"); RETURN NULL;', hash='759bc3cbf9043dae29bcb6b7505c011d920b02b6', operation='DELETE', pgid='pgtrigger_delete_delete_e31a4', table='notifications_channelpreference', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contactmethod',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_contactmethodevent" ("channel", "created_at", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reported_at", "shown_as", "switched_off_at", "verified_at") VALUES (NEW."channel", NEW."created_at", NEW."id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reported_at", NEW."shown_as", NEW."switched_off_at", NEW."verified_at"); RETURN NULL;', hash='31ac06d6153331e18ae766bbb98cd357af45fe17', operation='INSERT', pgid='pgtrigger_insert_insert_d4282', table='notifications_contactmethod', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contactmethod',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."shown_as" IS DISTINCT FROM (NEW."shown_as") OR OLD."switched_off_at" IS DISTINCT FROM (NEW."switched_off_at") OR OLD."verified_at" IS DISTINCT FROM (NEW."verified_at"))', func='INSERT INTO "notifications_contactmethodevent" ("channel", "created_at", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reported_at", "shown_as", "switched_off_at", "verified_at") VALUES (NEW."channel", NEW."created_at", NEW."id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reported_at", NEW."shown_as", NEW."switched_off_at", NEW."verified_at"); RETURN NULL;', hash='81bd67e77b0c0b2e1264872038eaf690839b957a', operation='UPDATE', pgid='pgtrigger_update_update_f1321', table='notifications_contactmethod', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contactmethod',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_contactmethodevent" ("channel", "created_at", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reported_at", "shown_as", "switched_off_at", "verified_at") VALUES (OLD."channel", OLD."created_at", OLD."id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."reported_at", OLD."shown_as", OLD."switched_off_at", OLD."verified_at"); RETURN NULL;', hash='96ac92d3170973f2e39c9e709dda19a23fcea67d', operation='DELETE', pgid='pgtrigger_delete_delete_cc26d', table='notifications_contactmethod', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationrule',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_notificationruleevent" ("channel", "delay_minutes", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "urgency") VALUES (NEW."channel", NEW."delay_minutes", NEW."id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."urgency"); RETURN NULL;', hash='3a163c739cb1013016a9d834073151708f1c61c1', operation='INSERT', pgid='pgtrigger_insert_insert_b7d1a', table='notifications_notificationrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationrule',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "notifications_notificationruleevent" ("channel", "delay_minutes", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "urgency") VALUES (NEW."channel", NEW."delay_minutes", NEW."id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."urgency"); RETURN NULL;', hash='dce98fbde1885c0862de92ed6a7ca7abbb8f2bbb', operation='UPDATE', pgid='pgtrigger_update_update_1bcb2', table='notifications_notificationrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='notificationrule',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_notificationruleevent" ("channel", "delay_minutes", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "urgency") VALUES (OLD."channel", OLD."delay_minutes", OLD."id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."urgency"); RETURN NULL;', hash='c87d40c6d76cbc1c3fc1c3da50d43e0f18253d30', operation='DELETE', pgid='pgtrigger_delete_delete_84deb', table='notifications_notificationrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pushdevice',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_pushdeviceevent" ("confirmed_at", "created_at", "id", "name", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reported_at", "service", "switched_off_at") VALUES (NEW."confirmed_at", NEW."created_at", NEW."id", NEW."name", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reported_at", NEW."service", NEW."switched_off_at"); RETURN NULL;', hash='6c0e8e3d2f8ba8e3aab2e4db3c22a04ad03fac11', operation='INSERT', pgid='pgtrigger_insert_insert_dff91', table='notifications_pushdevice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pushdevice',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."confirmed_at" IS DISTINCT FROM (NEW."confirmed_at") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."person_id" IS DISTINCT FROM (NEW."person_id") OR OLD."reported_at" IS DISTINCT FROM (NEW."reported_at") OR OLD."service" IS DISTINCT FROM (NEW."service") OR OLD."switched_off_at" IS DISTINCT FROM (NEW."switched_off_at"))', func='INSERT INTO "notifications_pushdeviceevent" ("confirmed_at", "created_at", "id", "name", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reported_at", "service", "switched_off_at") VALUES (NEW."confirmed_at", NEW."created_at", NEW."id", NEW."name", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reported_at", NEW."service", NEW."switched_off_at"); RETURN NULL;', hash='459d625769e5d318fa7ec56432c4251c2a5eb5ac', operation='UPDATE', pgid='pgtrigger_update_update_6f282', table='notifications_pushdevice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pushdevice',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_pushdeviceevent" ("confirmed_at", "created_at", "id", "name", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reported_at", "service", "switched_off_at") VALUES (OLD."confirmed_at", OLD."created_at", OLD."id", OLD."name", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."reported_at", OLD."service", OLD."switched_off_at"); RETURN NULL;', hash='bb50fb3dee8bcfd269f8d616c6db270dbb678b61', operation='DELETE', pgid='pgtrigger_delete_delete_20b46', table='notifications_pushdevice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='quiethours',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_quiethoursevent" ("ends_at", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_at", "weekends") VALUES (NEW."ends_at", NEW."id", NEW."person_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."starts_at", NEW."weekends"); RETURN NULL;', hash='72cd97757ce24a56817f1f081e19ba0daf01961d', operation='INSERT', pgid='pgtrigger_insert_insert_16293', table='notifications_quiethours', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='quiethours',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "notifications_quiethoursevent" ("ends_at", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_at", "weekends") VALUES (NEW."ends_at", NEW."id", NEW."person_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."starts_at", NEW."weekends"); RETURN NULL;', hash='822e36e38ef650e71f99f7f739eeba427310a8fb', operation='UPDATE', pgid='pgtrigger_update_update_4610c', table='notifications_quiethours', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='quiethours',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "notifications_quiethoursevent" ("ends_at", "id", "person_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_at", "weekends") VALUES (OLD."ends_at", OLD."id", OLD."person_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."starts_at", OLD."weekends"); RETURN NULL;', hash='de62ff71a3c2288b8a17a3fc9be9fe7cdb7930b6', operation='DELETE', pgid='pgtrigger_delete_delete_267b0', table='notifications_quiethours', when='AFTER')),
        ),
    ]
