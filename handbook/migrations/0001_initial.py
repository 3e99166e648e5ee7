import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
    ]

    operations = [
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
    ]
