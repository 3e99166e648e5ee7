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
        ('people', '__first__'),
        ('pghistory', '0007_auto_20250421_0444'),
        ('scheduling', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FeedToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('prefix', models.CharField(max_length=16)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='feed_tokens', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='feed_tokens', to='scheduling.rotation')),
            ],
            options={
                'verbose_name': 'calendar feed',
                'ordering': ['-created_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='FeedEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(help_text='Source row, such as week-3-2026-11-23 or cover-12.', max_length=80)),
                ('uid', models.CharField(max_length=255)),
                ('sequence', models.PositiveIntegerField(default=0)),
                ('stamped_at', models.DateTimeField()),
                ('content', models.JSONField(help_text='A change of the content raises the sequence.')),
                ('component', models.TextField(help_text='The VEVENT as sent.')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('cancelled', models.BooleanField(default=False)),
                ('engineer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='feed_events', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='feed_events', to='scheduling.rotation')),
            ],
            options={
                'ordering': ['starts_at', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('engineer', None), ('rotation__isnull', False)), models.Q(('engineer__isnull', False), ('rotation', None)), _connector='OR'), name='feed_event_has_one_subject'), models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='feed_event_ends_after_it_starts'), models.UniqueConstraint(condition=models.Q(('rotation', None)), fields=('engineer', 'source'), name='unique_event_per_engineer_source'), models.UniqueConstraint(condition=models.Q(('engineer', None)), fields=('rotation', 'source'), name='unique_event_per_rotation_source')],
            },
        ),
        migrations.CreateModel(
            name='FeedTokenEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('prefix', models.CharField(max_length=16)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='calendar_feeds.feedtoken')),
                ('rotation', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feedtoken',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "calendar_feeds_feedtokenevent" ("created_at", "id", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prefix", "revoked_at", "rotation_id") VALUES (NEW."created_at", NEW."id", NEW."owner_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."prefix", NEW."revoked_at", NEW."rotation_id"); RETURN NULL;', hash='5131073f712b61922455b8749e74255cf6f0c9d0', operation='INSERT', pgid='pgtrigger_insert_insert_9bacc', table='calendar_feeds_feedtoken', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feedtoken',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."owner_id" IS DISTINCT FROM (NEW."owner_id") OR OLD."prefix" IS DISTINCT FROM (NEW."prefix") OR OLD."revoked_at" IS DISTINCT FROM (NEW."revoked_at") OR OLD."rotation_id" IS DISTINCT FROM (NEW."rotation_id"))', func='INSERT INTO "calendar_feeds_feedtokenevent" ("created_at", "id", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prefix", "revoked_at", "rotation_id") VALUES (NEW."created_at", NEW."id", NEW."owner_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."prefix", NEW."revoked_at", NEW."rotation_id"); RETURN NULL;', hash='979fab0fc6a349e9fc5275f2d7355d477b8f5de5', operation='UPDATE', pgid='pgtrigger_update_update_8824b', table='calendar_feeds_feedtoken', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feedtoken',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "calendar_feeds_feedtokenevent" ("created_at", "id", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prefix", "revoked_at", "rotation_id") VALUES (OLD."created_at", OLD."id", OLD."owner_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."prefix", OLD."revoked_at", OLD."rotation_id"); RETURN NULL;', hash='7e52026d61110081f4255b116553b0c8811b0b07', operation='DELETE', pgid='pgtrigger_delete_delete_6f4d8', table='calendar_feeds_feedtoken', when='AFTER')),
        ),
    ]
