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
    ]

    operations = [
        migrations.CreateModel(
            name='DbtProject',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, unique=True)),
                ('schema', models.PositiveSmallIntegerField(help_text="Version of the manifest's schema, such as 12.")),
                ('dbt_version', models.CharField(blank=True, max_length=50)),
                ('generated_at', models.DateTimeField(help_text='When dbt wrote the manifest.')),
                ('imported_at', models.DateTimeField(help_text='When it was imported last.')),
            ],
            options={
                'verbose_name': 'project from dbt',
                'verbose_name_plural': 'projects from dbt',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Edge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('dbt', 'dbt'), ('openlineage', 'OpenLineage'), ('admin', 'Admin')], max_length=20)),
                ('project', models.CharField(blank=True, help_text='The dbt project that reports the edge.', max_length=200)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(blank=True, help_text='When the source stopped reporting the edge.', null=True)),
                ('cut_at', models.DateTimeField(blank=True, help_text='When an admin cut the edge.', null=True)),
                ('cut_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('downstream', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='upstream_edges', to='pipelines.pipeline')),
                ('upstream', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='downstream_edges', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['upstream__position', 'upstream_id', 'downstream__position', 'downstream_id', 'source', 'project'],
                'indexes': [models.Index(condition=models.Q(('cut_at', None), ('removed_at', None)), fields=['downstream'], name='edge_present')],
                'constraints': [models.UniqueConstraint(fields=('upstream', 'downstream', 'source', 'project'), name='edge_is_unique'), models.CheckConstraint(condition=models.Q(('upstream', models.F('downstream')), _negated=True), name='edge_joins_two_pipelines', violation_error_message='A pipeline cannot be upstream of itself.'), models.CheckConstraint(condition=models.Q(('source__in', ['dbt', 'openlineage', 'admin'])), name='edge_has_a_source'), models.CheckConstraint(condition=models.Q(('last_seen_at__gte', models.F('first_seen_at'))), name='edge_is_first_seen_before_last')],
            },
        ),
        migrations.CreateModel(
            name='OpenLineageNode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=250, unique=True)),
                ('kind', models.CharField(choices=[('job', 'Job'), ('dataset', 'Dataset')], max_length=10)),
                ('last_seen_at', models.DateTimeField()),
                ('pipeline', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='openlineage_nodes', to='pipelines.pipeline')),
            ],
            options={
                'verbose_name': 'OpenLineage node',
                'verbose_name_plural': 'OpenLineage nodes',
                'ordering': ['key'],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['job', 'dataset'])), name='openlineage_node_has_a_kind')],
            },
        ),
        migrations.CreateModel(
            name='OwnerDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner_name', models.CharField(blank=True, max_length=200)),
                ('owner_email', models.CharField(blank=True, max_length=200)),
                ('decided_at', models.DateTimeField()),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipeline', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='owner_decision', to='pipelines.pipeline')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='DbtNode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner_name', models.CharField(blank=True, max_length=200)),
                ('owner_email', models.CharField(blank=True, max_length=200)),
                ('key', models.CharField(help_text='Unique id, such as model.shop.orders.', max_length=250)),
                ('kind', models.CharField(max_length=50)),
                ('name', models.CharField(max_length=200)),
                ('path', models.CharField(blank=True, max_length=400)),
                ('package', models.CharField(blank=True, max_length=200)),
                ('group', models.CharField(blank=True, max_length=200)),
                ('meta_pipeline', models.CharField(blank=True, max_length=200)),
                ('tested', models.CharField(blank=True, help_text='Of a test: unique id of the node it is attached to.', max_length=250)),
                ('reason', models.CharField(blank=True, help_text='Where the pipeline comes from, or why there is none.', max_length=1000)),
                ('parents', models.ManyToManyField(blank=True, related_name='children', to='lineage.dbtnode')),
                ('pipeline', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='dbt_nodes', to='pipelines.pipeline')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='nodes', to='lineage.dbtproject')),
            ],
            options={
                'verbose_name': 'node from dbt',
                'verbose_name_plural': 'nodes from dbt',
                'ordering': ['project', 'key'],
                'indexes': [models.Index(fields=['key'], name='dbt_node_key')],
                'constraints': [models.UniqueConstraint(fields=('project', 'key'), name='dbt_node_key_is_unique')],
            },
        ),
        migrations.CreateModel(
            name='DbtGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner_name', models.CharField(blank=True, max_length=200)),
                ('owner_email', models.CharField(blank=True, max_length=200)),
                ('key', models.CharField(help_text='Unique id, such as group.shop.core.', max_length=250)),
                ('name', models.CharField(max_length=200)),
                ('meta_pipeline', models.CharField(blank=True, max_length=200)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='groups', to='lineage.dbtproject')),
            ],
            options={
                'verbose_name': 'group from dbt',
                'verbose_name_plural': 'groups from dbt',
                'ordering': ['project', 'name'],
                'constraints': [models.UniqueConstraint(fields=('project', 'key'), name='dbt_group_key_is_unique')],
            },
        ),
        migrations.CreateModel(
            name='EdgeEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('source', models.CharField(choices=[('dbt', 'dbt'), ('openlineage', 'OpenLineage'), ('admin', 'Admin')], max_length=20)),
                ('project', models.CharField(blank=True, help_text='The dbt project that reports the edge.', max_length=200)),
                ('first_seen_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(blank=True, help_text='When the source stopped reporting the edge.', null=True)),
                ('cut_at', models.DateTimeField(blank=True, help_text='When an admin cut the edge.', null=True)),
                ('cut_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('downstream', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='lineage.edge')),
                ('upstream', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='OpenLineageUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last_seen_at', models.DateTimeField()),
                ('read', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='readers', to='lineage.openlineagenode')),
                ('reader', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reads', to='lineage.openlineagenode')),
            ],
            options={
                'verbose_name': 'OpenLineage use',
                'verbose_name_plural': 'OpenLineage uses',
                'constraints': [models.UniqueConstraint(fields=('reader', 'read'), name='openlineage_use_is_unique')],
            },
        ),
        migrations.CreateModel(
            name='OwnerDecisionEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('owner_name', models.CharField(blank=True, max_length=200)),
                ('owner_email', models.CharField(blank=True, max_length=200)),
                ('decided_at', models.DateTimeField()),
                ('decided_by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='lineage.ownerdecision')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='DbtExposure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner_name', models.CharField(blank=True, max_length=200)),
                ('owner_email', models.CharField(blank=True, max_length=200)),
                ('key', models.CharField(max_length=250)),
                ('name', models.CharField(max_length=200)),
                ('kind', models.CharField(blank=True, max_length=50)),
                ('url', models.CharField(blank=True, max_length=2000)),
                ('description', models.TextField(blank=True)),
                ('pipelines', models.ManyToManyField(blank=True, related_name='exposures', to='pipelines.pipeline')),
                ('parents', models.ManyToManyField(blank=True, related_name='exposures', to='lineage.dbtnode')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exposures', to='lineage.dbtproject')),
            ],
            options={
                'verbose_name': 'exposure from dbt',
                'verbose_name_plural': 'exposures from dbt',
                'ordering': ['name', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('project', 'key'), name='dbt_exposure_key_is_unique')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='edge',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "lineage_edgeevent" ("cut_at", "cut_by_id", "downstream_id", "first_seen_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "project", "removed_at", "source", "upstream_id") VALUES (NEW."cut_at", NEW."cut_by_id", NEW."downstream_id", NEW."first_seen_at", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."project", NEW."removed_at", NEW."source", NEW."upstream_id"); RETURN NULL;', hash='5be1185f239bd33a64fc199562085ef454d91538', operation='INSERT', pgid='pgtrigger_insert_insert_a2256', table='lineage_edge', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='edge',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."cut_at" IS DISTINCT FROM (NEW."cut_at") OR OLD."cut_by_id" IS DISTINCT FROM (NEW."cut_by_id") OR OLD."downstream_id" IS DISTINCT FROM (NEW."downstream_id") OR OLD."first_seen_at" IS DISTINCT FROM (NEW."first_seen_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."project" IS DISTINCT FROM (NEW."project") OR OLD."removed_at" IS DISTINCT FROM (NEW."removed_at") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."upstream_id" IS DISTINCT FROM (NEW."upstream_id"))', func='INSERT INTO "lineage_edgeevent" ("cut_at", "cut_by_id", "downstream_id", "first_seen_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "project", "removed_at", "source", "upstream_id") VALUES (NEW."cut_at", NEW."cut_by_id", NEW."downstream_id", NEW."first_seen_at", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."project", NEW."removed_at", NEW."source", NEW."upstream_id"); RETURN NULL;', hash='d929f173f4c58e69074d0caf10a607ec1a51452e', operation='UPDATE', pgid='pgtrigger_update_update_93360', table='lineage_edge', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='edge',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "lineage_edgeevent" ("cut_at", "cut_by_id", "downstream_id", "first_seen_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "project", "removed_at", "source", "upstream_id") VALUES (OLD."cut_at", OLD."cut_by_id", OLD."downstream_id", OLD."first_seen_at", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."project", OLD."removed_at", OLD."source", OLD."upstream_id"); RETURN NULL;', hash='f77c14948bc325355fda6749a18e041b4ab4a11c', operation='DELETE', pgid='pgtrigger_delete_delete_26035', table='lineage_edge', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ownerdecision',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "lineage_ownerdecisionevent" ("decided_at", "decided_by_id", "id", "owner_email", "owner_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id") VALUES (NEW."decided_at", NEW."decided_by_id", NEW."id", NEW."owner_email", NEW."owner_name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id"); RETURN NULL;', hash='0d2f87ed23f5cb889667326216d21627f4852fb0', operation='INSERT', pgid='pgtrigger_insert_insert_5a657', table='lineage_ownerdecision', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ownerdecision',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "lineage_ownerdecisionevent" ("decided_at", "decided_by_id", "id", "owner_email", "owner_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id") VALUES (NEW."decided_at", NEW."decided_by_id", NEW."id", NEW."owner_email", NEW."owner_name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id"); RETURN NULL;', hash='9a6dc52605a5d6ac7b18d6112dcb37a31112514b', operation='UPDATE', pgid='pgtrigger_update_update_d0f86', table='lineage_ownerdecision', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ownerdecision',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "lineage_ownerdecisionevent" ("decided_at", "decided_by_id", "id", "owner_email", "owner_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id") VALUES (OLD."decided_at", OLD."decided_by_id", OLD."id", OLD."owner_email", OLD."owner_name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id"); RETURN NULL;', hash='f30606c75913d8fdbeef5c4ddf41867cb287f2a0', operation='DELETE', pgid='pgtrigger_delete_delete_cb066', table='lineage_ownerdecision', when='AFTER')),
        ),
    ]
