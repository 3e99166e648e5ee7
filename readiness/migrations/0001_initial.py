import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

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
