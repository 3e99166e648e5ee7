import django.db.models.deletion
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
    ]

    operations = [
        migrations.CreateModel(
            name='HandbookColumn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.PositiveSmallIntegerField(unique=True)),
                ('title', models.TextField(blank=True)),
            ],
            options={
                'ordering': ['place'],
            },
        ),
        migrations.CreateModel(
            name='HandbookPassage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(unique=True)),
                ('place', models.TextField(help_text='The part of the file that precedes this passage.')),
                ('markdown', models.TextField()),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.CreateModel(
            name='HandbookRotation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('first_engineer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='in_handbook', to='scheduling.rotation')),
            ],
            options={
                'ordering': ['position', 'rotation'],
            },
        ),
        migrations.CreateModel(
            name='HandbookColumnEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('place', models.PositiveSmallIntegerField()),
                ('title', models.TextField(blank=True)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='handbook.handbookcolumn')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='HandbookPassageEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('position', models.PositiveSmallIntegerField()),
                ('place', models.TextField(help_text='The part of the file that precedes this passage.')),
                ('markdown', models.TextField()),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='handbook.handbookpassage')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='HandbookRotationEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('position', models.PositiveSmallIntegerField()),
                ('first_engineer', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='handbook.handbookrotation')),
                ('rotation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='HandbookCell',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(blank=True)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handbook_cells', to='pipelines.pipeline')),
                ('column', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cells', to='handbook.handbookcolumn')),
            ],
            options={
                'ordering': ['column', 'pipeline'],
                'constraints': [models.UniqueConstraint(fields=('column', 'pipeline'), name='one_handbook_cell_per_column')],
            },
        ),
        migrations.CreateModel(
            name='HandbookCellEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('text', models.TextField(blank=True)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='handbook.handbookcell')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('column', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='handbook.handbookcolumn')),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookcolumn',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handbook_handbookcolumnevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "title") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."place", NEW."title"); RETURN NULL;', hash='3de0af4f422d7a23ba06d9aef56f823ff11bfb8a', operation='INSERT', pgid='pgtrigger_insert_insert_e57fc', table='handbook_handbookcolumn', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookcolumn',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "handbook_handbookcolumnevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "title") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."place", NEW."title"); RETURN NULL;', hash='c76891aa47d04d755428cabecd54c034cdf0bef3', operation='UPDATE', pgid='pgtrigger_update_update_9b70e', table='handbook_handbookcolumn', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookcolumn',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handbook_handbookcolumnevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "title") VALUES (OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."place", OLD."title"); RETURN NULL;', hash='0582af48e7a88d845f60f8f76f04aaafa8b8ea04', operation='DELETE', pgid='pgtrigger_delete_delete_3f8f5', table='handbook_handbookcolumn', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookpassage',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handbook_handbookpassageevent" ("id", "markdown", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "position") VALUES (NEW."id", NEW."markdown", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."place", NEW."position"); RETURN NULL;', hash='e89136e7b7cb11638374fe4ea8007b1a03b62f0a', operation='INSERT', pgid='pgtrigger_insert_insert_7b699', table='handbook_handbookpassage', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookpassage',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "handbook_handbookpassageevent" ("id", "markdown", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "position") VALUES (NEW."id", NEW."markdown", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."place", NEW."position"); RETURN NULL;', hash='3a8a69925e4f8398856a10aef559ffbd71bba426', operation='UPDATE', pgid='pgtrigger_update_update_a8fb3', table='handbook_handbookpassage', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookpassage',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handbook_handbookpassageevent" ("id", "markdown", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "position") VALUES (OLD."id", OLD."markdown", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."place", OLD."position"); RETURN NULL;', hash='310b7da4867472a999a7f851a78977be1c86e91c', operation='DELETE', pgid='pgtrigger_delete_delete_8ad77', table='handbook_handbookpassage', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookcell',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handbook_handbookcellevent" ("column_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "text") VALUES (NEW."column_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."text"); RETURN NULL;', hash='f0643d123dc168c9ac6b7512fa507b1c73632835', operation='INSERT', pgid='pgtrigger_insert_insert_0f3b6', table='handbook_handbookcell', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookcell',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "handbook_handbookcellevent" ("column_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "text") VALUES (NEW."column_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."text"); RETURN NULL;', hash='37afba8c2f6cfb0be752f675d7d58b5772884ead', operation='UPDATE', pgid='pgtrigger_update_update_17d71', table='handbook_handbookcell', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookcell',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handbook_handbookcellevent" ("column_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "text") VALUES (OLD."column_id", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."text"); RETURN NULL;', hash='8fdc12267b7c3e7dfa57e5144e09c094961887d3', operation='DELETE', pgid='pgtrigger_delete_delete_10fb7', table='handbook_handbookcell', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookrotation',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handbook_handbookrotationevent" ("first_engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "rotation_id") VALUES (NEW."first_engineer_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."position", NEW."rotation_id"); RETURN NULL;', hash='ab7d96e47dcfc473ab3f890a00a4f991a6b6436a', operation='INSERT', pgid='pgtrigger_insert_insert_5b3e6', table='handbook_handbookrotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookrotation',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "handbook_handbookrotationevent" ("first_engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "rotation_id") VALUES (NEW."first_engineer_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."position", NEW."rotation_id"); RETURN NULL;', hash='b624659eeb12dac13f73be3caf6696ba8a5f1195', operation='UPDATE', pgid='pgtrigger_update_update_861f6', table='handbook_handbookrotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handbookrotation',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handbook_handbookrotationevent" ("first_engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "rotation_id") VALUES (OLD."first_engineer_id", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."rotation_id"); RETURN NULL;', hash='a9f8baa6d091dd8296bda6f5860c93032eae0bbe', operation='DELETE', pgid='pgtrigger_delete_delete_923c1', table='handbook_handbookrotation', when='AFTER')),
        ),
    ]
