import datetime
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import handoffs.models
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
            name='ActionItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipeline', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='action_items', to='pipelines.pipeline')),
                ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='action_items', to='scheduling.rotation')),
            ],
            options={
                'ordering': ['created_at', 'pk'],
                'indexes': [models.Index(condition=models.Q(('done_at', None)), fields=['rotation', 'created_at'], name='action_items_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('text', ''), _negated=True), ('text', django.db.models.functions.text.Trim('text'))), name='action_item_text_not_empty'), models.CheckConstraint(condition=models.Q(models.Q(('done_at', None), ('done_by', None)), models.Q(('done_at__isnull', False), ('done_by__isnull', False)), _connector='OR'), name='action_item_done_has_person')],
            },
        ),
        migrations.CreateModel(
            name='Handoff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week', models.DateField(help_text='Start date of the shift that begins.')),
                ('at', models.DateTimeField(verbose_name='hand-off')),
                ('meeting_starts_at', models.DateTimeField()),
                ('meeting_ends_at', models.DateTimeField()),
                ('moved', models.BooleanField(default=False, help_text='The meeting was rescheduled by hand.')),
                ('uid', models.CharField(default=handoffs.models.new_event_uid, editable=False, max_length=255, unique=True)),
                ('sequence', models.PositiveIntegerField(default=0, editable=False)),
                ('stamped_at', models.DateTimeField(editable=False, help_text='When the sequence last increased.')),
                ('cancelled_at', models.DateTimeField(blank=True, null=True)),
                ('signed_outgoing_at', models.DateTimeField(blank=True, null=True, verbose_name='outgoing engineer signed')),
                ('signed_incoming_at', models.DateTimeField(blank=True, null=True, verbose_name='incoming engineer signed')),
                ('closed_at', models.DateTimeField(blank=True, help_text='Closed because an engineer who must sign left.', null=True)),
                ('frozen', models.JSONField(blank=True, editable=False, help_text='The sheet when it was signed or closed.', null=True)),
                ('invited', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, editable=False, size=None)),
                ('mailed_sequence', models.PositiveIntegerField(blank=True, editable=False, null=True)),
                ('absence_notified', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, editable=False, size=None)),
                ('unsigned_notified_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('incoming', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='taken_over', to=settings.AUTH_USER_MODEL)),
                ('outgoing', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handed_over', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handoffs', to='scheduling.rotation')),
            ],
            options={
                'verbose_name': 'hand-off',
                'ordering': ['at', 'pk'],
                'indexes': [models.Index(fields=['at', 'id'], name='handoff_in_order'), models.Index(fields=['outgoing', 'at'], name='handoff_of_outgoing'), models.Index(fields=['incoming', 'at'], name='handoff_of_incoming')],
                'constraints': [models.UniqueConstraint(fields=('rotation', 'week'), name='one_handoff_a_week'), models.UniqueConstraint(fields=('rotation', 'at'), name='one_handoff_an_instant'), models.CheckConstraint(condition=models.Q(('outgoing', models.F('incoming')), _negated=True), name='handoff_is_between_two'), models.CheckConstraint(condition=models.Q(('meeting_ends_at__gte', models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(models.F('meeting_starts_at'), '+', models.Value(datetime.timedelta(seconds=1200))), output_field=models.DateTimeField())), ('meeting_ends_at__lte', models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(models.F('meeting_starts_at'), '+', models.Value(datetime.timedelta(seconds=1800))), output_field=models.DateTimeField()))), name='handoff_meeting_valid_length'), models.CheckConstraint(condition=models.Q(('meeting_starts_at__gte', models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(models.F('at'), '+', models.Value(datetime.timedelta(days=-7))), output_field=models.DateTimeField())), ('meeting_ends_at__lte', models.ExpressionWrapper(django.db.models.expressions.CombinedExpression(models.F('at'), '+', models.Value(datetime.timedelta(days=7))), output_field=models.DateTimeField()))), name='handoff_meeting_near_handoff'), models.CheckConstraint(condition=models.Q(('frozen', None), ('closed_at__isnull', False), models.Q(('signed_incoming_at__isnull', False), ('signed_outgoing_at__isnull', False)), _connector='OR'), name='handoff_frozen_only_if_signed'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('closed_by', None)), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False)), _connector='OR'), name='handoff_closed_has_person')],
            },
        ),
        migrations.CreateModel(
            name='HandoffPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(default='Hand-Off', max_length=120)),
                ('instruction', models.TextField(blank=True, help_text="The handbook's sentence about the meeting, in Markdown.")),
                ('minutes_min', models.PositiveSmallIntegerField(default=20, validators=[django.core.validators.MinValueValidator(20), django.core.validators.MaxValueValidator(30)], verbose_name='minimum length (minutes)')),
                ('minutes_max', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MinValueValidator(20), django.core.validators.MaxValueValidator(30)], verbose_name='maximum length (minutes)')),
                ('topics_label', models.CharField(default='Topics to discuss', max_length=120)),
                ('rotation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='handoff_policy', to='scheduling.rotation')),
            ],
            options={
                'verbose_name': 'hand-off policy',
                'verbose_name_plural': 'hand-off policies',
                'constraints': [models.CheckConstraint(condition=models.Q(('minutes_max__lte', 30), ('minutes_min__gte', 20), ('minutes_min__lte', models.F('minutes_max'))), name='handoff_policy_valid_length', violation_error_message='A meeting has 20 to 30 minutes, and the minimum is at most the maximum.')],
            },
        ),
        migrations.CreateModel(
            name='ActionItemEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('text', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('done_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='handoffs.actionitem')),
                ('pipeline', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('rotation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='HandoffEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('week', models.DateField(help_text='Start date of the shift that begins.')),
                ('at', models.DateTimeField(verbose_name='hand-off')),
                ('meeting_starts_at', models.DateTimeField()),
                ('meeting_ends_at', models.DateTimeField()),
                ('moved', models.BooleanField(default=False, help_text='The meeting was rescheduled by hand.')),
                ('uid', models.CharField(default=handoffs.models.new_event_uid, editable=False, max_length=255)),
                ('sequence', models.PositiveIntegerField(default=0, editable=False)),
                ('stamped_at', models.DateTimeField(editable=False, help_text='When the sequence last increased.')),
                ('cancelled_at', models.DateTimeField(blank=True, null=True)),
                ('signed_outgoing_at', models.DateTimeField(blank=True, null=True, verbose_name='outgoing engineer signed')),
                ('signed_incoming_at', models.DateTimeField(blank=True, null=True, verbose_name='incoming engineer signed')),
                ('closed_at', models.DateTimeField(blank=True, help_text='Closed because an engineer who must sign left.', null=True)),
                ('frozen', models.JSONField(blank=True, editable=False, help_text='The sheet when it was signed or closed.', null=True)),
                ('closed_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('incoming', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('outgoing', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='handoffs.handoff')),
                ('rotation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='HandoffNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=400, verbose_name='topic')),
                ('text', models.TextField(blank=True, max_length=20000)),
                ('version', models.PositiveIntegerField(default=1, help_text='Rises with every change.')),
                ('edited_at', models.DateTimeField()),
                ('edited_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('handoff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='handoffs.handoff')),
            ],
            options={
                'ordering': ['handoff', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('handoff', 'title'), name='handoff_note_unique_topic')],
            },
        ),
        migrations.CreateModel(
            name='HandoffPolicyEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(default='Hand-Off', max_length=120)),
                ('instruction', models.TextField(blank=True, help_text="The handbook's sentence about the meeting, in Markdown.")),
                ('minutes_min', models.PositiveSmallIntegerField(default=20, validators=[django.core.validators.MinValueValidator(20), django.core.validators.MaxValueValidator(30)], verbose_name='minimum length (minutes)')),
                ('minutes_max', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MinValueValidator(20), django.core.validators.MaxValueValidator(30)], verbose_name='maximum length (minutes)')),
                ('topics_label', models.CharField(default='Topics to discuss', max_length=120)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='handoffs.handoffpolicy')),
                ('rotation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='HandoffTopic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('title', models.CharField(max_length=400)),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='topics', to='handoffs.handoffpolicy')),
            ],
            options={
                'verbose_name': 'hand-off topic',
                'ordering': ['policy', 'position'],
                'constraints': [models.UniqueConstraint(fields=('policy', 'position'), name='handoff_topic_unique_position'), models.UniqueConstraint(fields=('policy', 'title'), name='handoff_topic_unique_title'), models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='handoff_topic_title_not_empty')],
            },
        ),
        migrations.CreateModel(
            name='HandoffNoteEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('title', models.CharField(max_length=400, verbose_name='topic')),
                ('text', models.TextField(blank=True, max_length=20000)),
                ('version', models.PositiveIntegerField(default=1, help_text='Rises with every change.')),
                ('edited_at', models.DateTimeField()),
                ('edited_by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('handoff', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='handoffs.handoff')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='handoffs.handoffnote')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='HandoffTopicEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('position', models.PositiveSmallIntegerField()),
                ('title', models.CharField(max_length=400)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='handoffs.handofftopic')),
                ('policy', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='handoffs.handoffpolicy')),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='actionitem',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handoffs_actionitemevent" ("created_at", "created_by_id", "done_at", "done_by_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id", "text") VALUES (NEW."created_at", NEW."created_by_id", NEW."done_at", NEW."done_by_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."rotation_id", NEW."text"); RETURN NULL;', hash='a108eb6d63e881ea9a9ffefbf1c68ad6142d7d01', operation='INSERT', pgid='pgtrigger_insert_insert_6e87e', table='handoffs_actionitem', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='actionitem',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "handoffs_actionitemevent" ("created_at", "created_by_id", "done_at", "done_by_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id", "text") VALUES (NEW."created_at", NEW."created_by_id", NEW."done_at", NEW."done_by_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."rotation_id", NEW."text"); RETURN NULL;', hash='99151461bd5edf26cb8a24281f73d8372c6b55b1', operation='UPDATE', pgid='pgtrigger_update_update_a4954', table='handoffs_actionitem', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='actionitem',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handoffs_actionitemevent" ("created_at", "created_by_id", "done_at", "done_by_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id", "text") VALUES (OLD."created_at", OLD."created_by_id", OLD."done_at", OLD."done_by_id", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."rotation_id", OLD."text"); RETURN NULL;', hash='ec06a91426265fd81b44765e3d156c1c5b39cf2f', operation='DELETE', pgid='pgtrigger_delete_delete_9f545', table='handoffs_actionitem', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoff',
            trigger=pgtrigger.compiler.Trigger(name='rows_change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='16cfad03ebdc99496c951011345f499bf0b080c1', operation='INSERT OR DELETE', pgid='pgtrigger_rows_change_page_version_6ab90', table='handoffs_handoff', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoff',
            trigger=pgtrigger.compiler.Trigger(name='change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."at" IS DISTINCT FROM (NEW."at") OR OLD."cancelled_at" IS DISTINCT FROM (NEW."cancelled_at") OR OLD."closed_at" IS DISTINCT FROM (NEW."closed_at") OR OLD."closed_by_id" IS DISTINCT FROM (NEW."closed_by_id") OR OLD."frozen" IS DISTINCT FROM (NEW."frozen") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."incoming_id" IS DISTINCT FROM (NEW."incoming_id") OR OLD."meeting_ends_at" IS DISTINCT FROM (NEW."meeting_ends_at") OR OLD."meeting_starts_at" IS DISTINCT FROM (NEW."meeting_starts_at") OR OLD."moved" IS DISTINCT FROM (NEW."moved") OR OLD."outgoing_id" IS DISTINCT FROM (NEW."outgoing_id") OR OLD."rotation_id" IS DISTINCT FROM (NEW."rotation_id") OR OLD."sequence" IS DISTINCT FROM (NEW."sequence") OR OLD."signed_incoming_at" IS DISTINCT FROM (NEW."signed_incoming_at") OR OLD."signed_outgoing_at" IS DISTINCT FROM (NEW."signed_outgoing_at") OR OLD."stamped_at" IS DISTINCT FROM (NEW."stamped_at") OR OLD."uid" IS DISTINCT FROM (NEW."uid") OR OLD."week" IS DISTINCT FROM (NEW."week"))', declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='fc52c3b3c65219f306b7a6748288146e30d5564e', operation='UPDATE', pgid='pgtrigger_change_page_version_8740c', table='handoffs_handoff', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoff',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handoffs_handoffevent" ("at", "cancelled_at", "closed_at", "closed_by_id", "frozen", "id", "incoming_id", "meeting_ends_at", "meeting_starts_at", "moved", "outgoing_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rotation_id", "sequence", "signed_incoming_at", "signed_outgoing_at", "stamped_at", "uid", "week") VALUES (NEW."at", NEW."cancelled_at", NEW."closed_at", NEW."closed_by_id", NEW."frozen", NEW."id", NEW."incoming_id", NEW."meeting_ends_at", NEW."meeting_starts_at", NEW."moved", NEW."outgoing_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."rotation_id", NEW."sequence", NEW."signed_incoming_at", NEW."signed_outgoing_at", NEW."stamped_at", NEW."uid", NEW."week"); RETURN NULL;', hash='860c3ca04f6f14359bef3f648d7fcd53656cf30b', operation='INSERT', pgid='pgtrigger_insert_insert_392a4', table='handoffs_handoff', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoff',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."at" IS DISTINCT FROM (NEW."at") OR OLD."cancelled_at" IS DISTINCT FROM (NEW."cancelled_at") OR OLD."closed_at" IS DISTINCT FROM (NEW."closed_at") OR OLD."closed_by_id" IS DISTINCT FROM (NEW."closed_by_id") OR OLD."frozen" IS DISTINCT FROM (NEW."frozen") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."incoming_id" IS DISTINCT FROM (NEW."incoming_id") OR OLD."meeting_ends_at" IS DISTINCT FROM (NEW."meeting_ends_at") OR OLD."meeting_starts_at" IS DISTINCT FROM (NEW."meeting_starts_at") OR OLD."moved" IS DISTINCT FROM (NEW."moved") OR OLD."outgoing_id" IS DISTINCT FROM (NEW."outgoing_id") OR OLD."rotation_id" IS DISTINCT FROM (NEW."rotation_id") OR OLD."sequence" IS DISTINCT FROM (NEW."sequence") OR OLD."signed_incoming_at" IS DISTINCT FROM (NEW."signed_incoming_at") OR OLD."signed_outgoing_at" IS DISTINCT FROM (NEW."signed_outgoing_at") OR OLD."stamped_at" IS DISTINCT FROM (NEW."stamped_at") OR OLD."uid" IS DISTINCT FROM (NEW."uid") OR OLD."week" IS DISTINCT FROM (NEW."week"))', func='INSERT INTO "handoffs_handoffevent" ("at", "cancelled_at", "closed_at", "closed_by_id", "frozen", "id", "incoming_id", "meeting_ends_at", "meeting_starts_at", "moved", "outgoing_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rotation_id", "sequence", "signed_incoming_at", "signed_outgoing_at", "stamped_at", "uid", "week") VALUES (NEW."at", NEW."cancelled_at", NEW."closed_at", NEW."closed_by_id", NEW."frozen", NEW."id", NEW."incoming_id", NEW."meeting_ends_at", NEW."meeting_starts_at", NEW."moved", NEW."outgoing_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."rotation_id", NEW."sequence", NEW."signed_incoming_at", NEW."signed_outgoing_at", NEW."stamped_at", NEW."uid", NEW."week"); RETURN NULL;', hash='1d50eb6f82a85868e0796a5ac84a302c2faf62ed', operation='UPDATE', pgid='pgtrigger_update_update_bc55f', table='handoffs_handoff', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoff',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handoffs_handoffevent" ("at", "cancelled_at", "closed_at", "closed_by_id", "frozen", "id", "incoming_id", "meeting_ends_at", "meeting_starts_at", "moved", "outgoing_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rotation_id", "sequence", "signed_incoming_at", "signed_outgoing_at", "stamped_at", "uid", "week") VALUES (OLD."at", OLD."cancelled_at", OLD."closed_at", OLD."closed_by_id", OLD."frozen", OLD."id", OLD."incoming_id", OLD."meeting_ends_at", OLD."meeting_starts_at", OLD."moved", OLD."outgoing_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."rotation_id", OLD."sequence", OLD."signed_incoming_at", OLD."signed_outgoing_at", OLD."stamped_at", OLD."uid", OLD."week"); RETURN NULL;', hash='074ab69207bbea01a6bb79411a57ef7eaa2edb85', operation='DELETE', pgid='pgtrigger_delete_delete_85069', table='handoffs_handoff', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoffnote',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handoffs_handoffnoteevent" ("edited_at", "edited_by_id", "handoff_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "text", "title", "version") VALUES (NEW."edited_at", NEW."edited_by_id", NEW."handoff_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."text", NEW."title", NEW."version"); RETURN NULL;', hash='9cc76d90f438c5f6950292642e30be0b204aa7f3', operation='INSERT', pgid='pgtrigger_insert_insert_04cce', table='handoffs_handoffnote', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoffnote',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "handoffs_handoffnoteevent" ("edited_at", "edited_by_id", "handoff_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "text", "title", "version") VALUES (NEW."edited_at", NEW."edited_by_id", NEW."handoff_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."text", NEW."title", NEW."version"); RETURN NULL;', hash='92d917ee79da0a491196088b56f1ad8f1f71eb4c', operation='UPDATE', pgid='pgtrigger_update_update_a13b1', table='handoffs_handoffnote', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoffnote',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handoffs_handoffnoteevent" ("edited_at", "edited_by_id", "handoff_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "text", "title", "version") VALUES (OLD."edited_at", OLD."edited_by_id", OLD."handoff_id", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."text", OLD."title", OLD."version"); RETURN NULL;', hash='cf01c3d04d28c7ab0d36f4041c4b6b6c6d12d2d7', operation='DELETE', pgid='pgtrigger_delete_delete_b30bb', table='handoffs_handoffnote', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoffpolicy',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handoffs_handoffpolicyevent" ("id", "instruction", "minutes_max", "minutes_min", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rotation_id", "topics_label") VALUES (NEW."id", NEW."instruction", NEW."minutes_max", NEW."minutes_min", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."rotation_id", NEW."topics_label"); RETURN NULL;', hash='2b7f24d1ab1bcd2de61c7d6dcddfc506fd77329c', operation='INSERT', pgid='pgtrigger_insert_insert_2c1c3', table='handoffs_handoffpolicy', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoffpolicy',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "handoffs_handoffpolicyevent" ("id", "instruction", "minutes_max", "minutes_min", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rotation_id", "topics_label") VALUES (NEW."id", NEW."instruction", NEW."minutes_max", NEW."minutes_min", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."rotation_id", NEW."topics_label"); RETURN NULL;', hash='ab9cfd6127e79c33827cbaa4e0bff17e85c72211', operation='UPDATE', pgid='pgtrigger_update_update_3c944', table='handoffs_handoffpolicy', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handoffpolicy',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handoffs_handoffpolicyevent" ("id", "instruction", "minutes_max", "minutes_min", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rotation_id", "topics_label") VALUES (OLD."id", OLD."instruction", OLD."minutes_max", OLD."minutes_min", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."rotation_id", OLD."topics_label"); RETURN NULL;', hash='38ab38d42e5cc3bd150126e6e1b2efe4515abd2f', operation='DELETE', pgid='pgtrigger_delete_delete_cf252', table='handoffs_handoffpolicy', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handofftopic',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handoffs_handofftopicevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_id", "position", "title") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."policy_id", NEW."position", NEW."title"); RETURN NULL;', hash='946b9c1c3b1602c21cbe14bf70756e6b412a0c40', operation='INSERT', pgid='pgtrigger_insert_insert_adc1b', table='handoffs_handofftopic', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handofftopic',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "handoffs_handofftopicevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_id", "position", "title") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."policy_id", NEW."position", NEW."title"); RETURN NULL;', hash='c9cc5c6b10d4adb5b801a0fc36ad4170a89d2bc6', operation='UPDATE', pgid='pgtrigger_update_update_418e7', table='handoffs_handofftopic', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='handofftopic',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "handoffs_handofftopicevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_id", "position", "title") VALUES (OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."policy_id", OLD."position", OLD."title"); RETURN NULL;', hash='0ca212be9c8b23c06c31b211e1c3e8ff3d7173f3', operation='DELETE', pgid='pgtrigger_delete_delete_9a0b7', table='handoffs_handofftopic', when='AFTER')),
        ),
    ]
