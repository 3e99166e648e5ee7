import django.contrib.postgres.indexes
import django.contrib.postgres.search
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
    ]

    operations = [
        migrations.CreateModel(
            name='Runbook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(help_text='As spelled in the handbook.', max_length=330)),
                ('revision', models.PositiveIntegerField(default=1, help_text='Number of the current revision.')),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('deleted_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipeline', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='runbook', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['pipeline__position', 'pk'],
                'base_manager_name': 'all_objects',
                'constraints': [models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('title',), name='runbook_title_unique'), models.CheckConstraint(condition=models.Q(('revision__gte', 1)), name='runbook_revision_positive'), models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='runbook_title_not_empty')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('all_objects', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='RunbookEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('title', models.CharField(help_text='As spelled in the handbook.', max_length=330)),
                ('revision', models.PositiveIntegerField(default=1, help_text='Number of the current revision.')),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('deleted_by', models.ForeignKey(blank=True, db_constraint=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='runbooks.runbook')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RunbookRead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField()),
                ('read_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('runbook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reads', to='runbooks.runbook')),
            ],
            options={
                'ordering': ['runbook', 'person'],
                'constraints': [models.UniqueConstraint(fields=('person', 'runbook'), name='runbook_read_once_per_person')],
            },
        ),
        migrations.CreateModel(
            name='RunbookRevision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('markdown', models.TextField(blank=True)),
                ('html', models.TextField(blank=True)),
                ('summary', models.CharField(blank=True, help_text='Summary of the change.', max_length=200)),
                ('restored_from', models.PositiveIntegerField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('author', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('runbook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='runbooks.runbook')),
            ],
            options={
                'ordering': ['runbook', '-number'],
                'constraints': [models.UniqueConstraint(fields=('runbook', 'number'), name='runbook_revision_unique_number')],
            },
        ),
        migrations.CreateModel(
            name='RunbookSection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('title', models.CharField(blank=True, max_length=400)),
                ('anchor', models.CharField(blank=True, max_length=200)),
                ('html', models.TextField(blank=True)),
                ('text', models.TextField(blank=True)),
                ('search', models.GeneratedField(db_persist=True, expression=django.contrib.postgres.search.CombinedSearchVector(django.contrib.postgres.search.SearchVector('title', config='english', weight='A'), '||', django.contrib.postgres.search.SearchVector('text', config='english', weight='B'), django.contrib.postgres.search.SearchConfig('english')), output_field=django.contrib.postgres.search.SearchVectorField())),
                ('runbook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sections', to='runbooks.runbook')),
            ],
            options={
                'ordering': ['runbook', 'position'],
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['search'], name='section_search')],
                'constraints': [models.UniqueConstraint(fields=('runbook', 'position'), name='runbook_section_unique_position')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runbook',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "runbooks_runbookevent" ("deleted_at", "deleted_by_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "revision", "title") VALUES (NEW."deleted_at", NEW."deleted_by_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."revision", NEW."title"); RETURN NULL;', hash='ac9ea9e0eb037b20a769901a1c28a3a500e51a24', operation='INSERT', pgid='pgtrigger_insert_insert_433e1', table='runbooks_runbook', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runbook',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "runbooks_runbookevent" ("deleted_at", "deleted_by_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "revision", "title") VALUES (NEW."deleted_at", NEW."deleted_by_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."revision", NEW."title"); RETURN NULL;', hash='c689ca025e70caff09a95b660f9a8e1d55c8e86d', operation='UPDATE', pgid='pgtrigger_update_update_75794', table='runbooks_runbook', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='runbook',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "runbooks_runbookevent" ("deleted_at", "deleted_by_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "revision", "title") VALUES (OLD."deleted_at", OLD."deleted_by_id", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."revision", OLD."title"); RETURN NULL;', hash='009d9856a25c5bd19c5934a738d8620b6b0a0057', operation='DELETE', pgid='pgtrigger_delete_delete_67373', table='runbooks_runbook', when='AFTER')),
        ),
    ]
