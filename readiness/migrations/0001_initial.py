import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from common.initial_migration import InitialMigration


class Migration(InitialMigration):

    initial = True

    dependencies = [
        ('incidents', '0001_initial'),
        ('people', '__first__'),
        ('pghistory', '0007_auto_20250421_0444'),
        ('pipelines', '0001_initial'),
        ('validation', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Publication',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('published_at', models.DateTimeField()),
                ('last_point', models.PositiveBigIntegerField(default=0, editable=False)),
                ('last_revision', models.PositiveBigIntegerField(default=0, editable=False)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='publications', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['-day', 'pipeline'],
                'constraints': [models.UniqueConstraint(fields=('pipeline', 'day'), name='day_is_published_once')],
            },
        ),
        migrations.CreateModel(
            name='ReaderNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=280)),
                ('written_at', models.DateTimeField()),
                ('pipeline', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='reader_note', to='pipelines.pipeline')),
                ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pipeline'],
                'constraints': [models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='reader_note_has_text')],
            },
        ),
        migrations.CreateModel(
            name='ReaderNotification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subscriber', models.PositiveBigIntegerField()),
                ('at', models.DateTimeField()),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reader_notifications', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'constraints': [models.UniqueConstraint(fields=('pipeline', 'at', 'subscriber'), name='reader_is_notified_once_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='ReadersLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Title of the page, such as “Investor numbers”.', max_length=80)),
                ('prefix', models.CharField(max_length=16)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('html', models.TextField(blank=True, editable=False)),
                ('rendered_at', models.DateTimeField(editable=False, null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipelines', models.ManyToManyField(related_name='readers_links', to='pipelines.pipeline')),
                ('revoked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'reader link',
                'ordering': ['-created_at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='readers_link_has_a_name')],
            },
        ),
        migrations.CreateModel(
            name='SweepCursor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('compared_until', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_sweep_cursor')],
            },
        ),
        migrations.CreateModel(
            name='ReaderNoteEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('text', models.CharField(max_length=280)),
                ('written_at', models.DateTimeField()),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='readiness.readernote')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('written_by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ReadersLinkEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(help_text='Title of the page, such as “Investor numbers”.', max_length=80)),
                ('prefix', models.CharField(max_length=16)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='readiness.readerslink')),
                ('revoked_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Restatement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('segment', models.CharField(blank=True, max_length=120)),
                ('bucket', models.DateTimeField()),
                ('from_value', models.FloatField(verbose_name='from')),
                ('to_value', models.FloatField(verbose_name='to')),
                ('farthest_value', models.FloatField(help_text='The value in between that differed most.', verbose_name='farthest')),
                ('published_at', models.DateTimeField(help_text='When the value in “from” was published.')),
                ('changed_at', models.DateTimeField(help_text='When the value first differed.')),
                ('restated_at', models.DateTimeField(help_text='When the value in “to” was stored.')),
                ('settled_at', models.DateTimeField(blank=True, help_text='When the day was safe again.', null=True)),
                ('last_revision', models.PositiveBigIntegerField(default=0, editable=False, help_text='The newest change it includes.')),
                ('cause', models.CharField(choices=[('incident', 'Incident'), ('backfill', 'Backfill')], default='backfill', max_length=8)),
                ('comment', models.TextField(blank=True, max_length=2000)),
                ('commented_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('incident', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='restatements', to='incidents.incident')),
                ('metric', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='restatements', to='validation.metric')),
                ('publication', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='restatements', to='readiness.publication')),
            ],
            options={
                'ordering': ['-changed_at', '-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('settled_at', None)), fields=('metric', 'segment', 'bucket'), name='one_open_restatement_per_value')],
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254)),
                ('created_at', models.DateTimeField()),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('is_alerted', models.BooleanField(default=False)),
                ('notified_at', models.DateTimeField(blank=True, null=True)),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='subscriptions', to='readiness.readerslink')),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='subscriptions', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['pipeline', 'email'],
                'constraints': [models.UniqueConstraint(fields=('pipeline', 'email'), name='one_subscription_per_address')],
            },
        ),
        migrations.CreateModel(
            name='RestatementEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('segment', models.CharField(blank=True, max_length=120)),
                ('bucket', models.DateTimeField()),
                ('from_value', models.FloatField(verbose_name='from')),
                ('to_value', models.FloatField(verbose_name='to')),
                ('farthest_value', models.FloatField(help_text='The value in between that differed most.', verbose_name='farthest')),
                ('published_at', models.DateTimeField(help_text='When the value in “from” was published.')),
                ('changed_at', models.DateTimeField(help_text='When the value first differed.')),
                ('restated_at', models.DateTimeField(help_text='When the value in “to” was stored.')),
                ('settled_at', models.DateTimeField(blank=True, help_text='When the day was safe again.', null=True)),
                ('last_revision', models.PositiveBigIntegerField(default=0, editable=False, help_text='The newest change it includes.')),
                ('cause', models.CharField(choices=[('incident', 'Incident'), ('backfill', 'Backfill')], default='backfill', max_length=8)),
                ('comment', models.TextField(blank=True, max_length=2000)),
                ('commented_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('incident', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='incidents.incident')),
                ('metric', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='validation.metric')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='readiness.restatement')),
                ('publication', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='readiness.publication')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ReaderMessage',
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
                ('kind', models.CharField(choices=[('confirm', 'Confirm the subscription'), ('alert', 'Numbers are doubtful or wrong'), ('clear', 'Numbers are right again')], max_length=7)),
                ('occurrence', models.CharField(help_text='Identifies the message within its subscription and kind.', max_length=40)),
                ('subject', models.CharField(max_length=200)),
                ('text', models.TextField()),
                ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='readiness.subscription')),
            ],
            options={
                'ordering': ['-due_at', '-pk'],
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('state__in', ('pending', 'sending'))), fields=['due_at', 'id'], name='reader_message_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'sending'), ('token__isnull', False)), models.Q(models.Q(('state', 'sending'), _negated=True), ('lease_until', None), ('token', None)), _connector='OR'), name='readermessage_being_sent_has_a_lease'), models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at', None)), _connector='OR'), name='readermessage_sent_has_an_instant'), models.UniqueConstraint(fields=('subscription', 'kind', 'occurrence'), name='reader_message_is_enqueued_once')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readernote',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "readiness_readernoteevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "text", "written_at", "written_by_id") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."text", NEW."written_at", NEW."written_by_id"); RETURN NULL;', hash='7e486380001e8d28f034879a724fb1a4a8c40045', operation='INSERT', pgid='pgtrigger_insert_insert_ddde0', table='readiness_readernote', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readernote',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "readiness_readernoteevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "text", "written_at", "written_by_id") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."text", NEW."written_at", NEW."written_by_id"); RETURN NULL;', hash='f5dc9e27d053743873ad0bdfe1d5528506216351', operation='UPDATE', pgid='pgtrigger_update_update_5783a', table='readiness_readernote', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readernote',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "readiness_readernoteevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "text", "written_at", "written_by_id") VALUES (OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."text", OLD."written_at", OLD."written_by_id"); RETURN NULL;', hash='f050c24ad75945d7300cd917385539c9c1b0ecf8', operation='DELETE', pgid='pgtrigger_delete_delete_b2d5e', table='readiness_readernote', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readerslink',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "readiness_readerslinkevent" ("created_at", "created_by_id", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prefix", "revoked_at", "revoked_by_id") VALUES (NEW."created_at", NEW."created_by_id", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."prefix", NEW."revoked_at", NEW."revoked_by_id"); RETURN NULL;', hash='9e035cddba7148065ebc9902b24c584525f924c9', operation='INSERT', pgid='pgtrigger_insert_insert_1472d', table='readiness_readerslink', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readerslink',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."prefix" IS DISTINCT FROM (NEW."prefix") OR OLD."revoked_at" IS DISTINCT FROM (NEW."revoked_at") OR OLD."revoked_by_id" IS DISTINCT FROM (NEW."revoked_by_id"))', func='INSERT INTO "readiness_readerslinkevent" ("created_at", "created_by_id", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prefix", "revoked_at", "revoked_by_id") VALUES (NEW."created_at", NEW."created_by_id", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."prefix", NEW."revoked_at", NEW."revoked_by_id"); RETURN NULL;', hash='9f8fafbbb0a12ef3c2d63014f50e5df88d95bd4d', operation='UPDATE', pgid='pgtrigger_update_update_8c6ec', table='readiness_readerslink', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readerslink',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "readiness_readerslinkevent" ("created_at", "created_by_id", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prefix", "revoked_at", "revoked_by_id") VALUES (OLD."created_at", OLD."created_by_id", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."prefix", OLD."revoked_at", OLD."revoked_by_id"); RETURN NULL;', hash='ffe97e1125217ebe6744c3a0c429ab4446dd89e2', operation='DELETE', pgid='pgtrigger_delete_delete_86050', table='readiness_readerslink', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='restatement',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "readiness_restatementevent" ("bucket", "cause", "changed_at", "comment", "commented_by_id", "farthest_value", "from_value", "id", "incident_id", "last_revision", "metric_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publication_id", "published_at", "restated_at", "segment", "settled_at", "to_value") VALUES (NEW."bucket", NEW."cause", NEW."changed_at", NEW."comment", NEW."commented_by_id", NEW."farthest_value", NEW."from_value", NEW."id", NEW."incident_id", NEW."last_revision", NEW."metric_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."publication_id", NEW."published_at", NEW."restated_at", NEW."segment", NEW."settled_at", NEW."to_value"); RETURN NULL;', hash='e8ce7e787fc6798de447ac3ceff53b04ce5d6673', operation='INSERT', pgid='pgtrigger_insert_insert_0a5f7', table='readiness_restatement', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='restatement',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "readiness_restatementevent" ("bucket", "cause", "changed_at", "comment", "commented_by_id", "farthest_value", "from_value", "id", "incident_id", "last_revision", "metric_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publication_id", "published_at", "restated_at", "segment", "settled_at", "to_value") VALUES (NEW."bucket", NEW."cause", NEW."changed_at", NEW."comment", NEW."commented_by_id", NEW."farthest_value", NEW."from_value", NEW."id", NEW."incident_id", NEW."last_revision", NEW."metric_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."publication_id", NEW."published_at", NEW."restated_at", NEW."segment", NEW."settled_at", NEW."to_value"); RETURN NULL;', hash='de58f8d2c5d4571a96c5cbb02b9fa05623531145', operation='UPDATE', pgid='pgtrigger_update_update_7d72b', table='readiness_restatement', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='restatement',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "readiness_restatementevent" ("bucket", "cause", "changed_at", "comment", "commented_by_id", "farthest_value", "from_value", "id", "incident_id", "last_revision", "metric_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publication_id", "published_at", "restated_at", "segment", "settled_at", "to_value") VALUES (OLD."bucket", OLD."cause", OLD."changed_at", OLD."comment", OLD."commented_by_id", OLD."farthest_value", OLD."from_value", OLD."id", OLD."incident_id", OLD."last_revision", OLD."metric_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."publication_id", OLD."published_at", OLD."restated_at", OLD."segment", OLD."settled_at", OLD."to_value"); RETURN NULL;', hash='4a1d696afbe988b6c73b97a09de842aeccf31d50', operation='DELETE', pgid='pgtrigger_delete_delete_8eb5e', table='readiness_restatement', when='AFTER')),
        ),
    ]
