import django.core.validators
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
        ('account', '0009_emailaddress_unique_primary_email'),
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('mfa', '0003_authenticator_type_uniq'),
        ('sessions', '0001_initial'),
        ('socialaccount', '0006_alter_socialaccount_extra_data'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pipeline',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.CharField(max_length=80, unique=True, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]+(?:-[a-z0-9]+)*\\Z', 'A slug has lower-case letters and digits, with single dashes between them.')])),
                ('name', models.CharField(help_text='As in the ownership table, without the audience.', max_length=200)),
                ('audience', models.CharField(blank=True, help_text='Who uses the numbers, e.g. “investor reporting”.', max_length=120)),
                ('match_key', models.CharField(editable=False, help_text='Full name without case and punctuation.', max_length=400, unique=True)),
                ('position', models.PositiveIntegerField(default=0, help_text='Sort order.')),
                ('escalate_after_minutes', models.PositiveSmallIntegerField(default=15, help_text='Minutes before an unacknowledged incident escalates.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='escalate after (minutes)')),
                ('escalate_critical_after_minutes', models.PositiveSmallIntegerField(blank=True, help_text='For critical incidents. Leave empty to use the default time.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='escalate critical after (minutes)')),
                ('escalate_low_after_minutes', models.PositiveSmallIntegerField(blank=True, help_text='For low-severity incidents. Leave empty to use the default time.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='escalate low after (minutes)')),
                ('primary_owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='primary_of', to=settings.AUTH_USER_MODEL)),
                ('secondary_owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='secondary_of', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['position', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('primary_owner', models.F('secondary_owner')), _negated=True), name='pipeline_owners_differ', violation_error_message='Primary and secondary owner must be two people.'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='pipeline_has_a_name'), models.CheckConstraint(condition=models.Q(('escalate_after_minutes__gte', 1), ('escalate_after_minutes__lte', 1440)), name='pipeline_escalates_within_a_day', violation_error_message='Enter 1 to 1440 minutes.'), models.CheckConstraint(condition=models.Q(models.Q(('escalate_critical_after_minutes', None), ('escalate_critical_after_minutes__range', (1, 1440)), _connector='OR'), models.Q(('escalate_low_after_minutes', None), ('escalate_low_after_minutes__range', (1, 1440)), _connector='OR')), name='pipeline_severities_escalate_within_a_day', violation_error_message='Enter 1 to 1440 minutes.')],
            },
        ),
        migrations.CreateModel(
            name='PipelineEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('slug', models.CharField(max_length=80, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]+(?:-[a-z0-9]+)*\\Z', 'A slug has lower-case letters and digits, with single dashes between them.')])),
                ('name', models.CharField(help_text='As in the ownership table, without the audience.', max_length=200)),
                ('audience', models.CharField(blank=True, help_text='Who uses the numbers, e.g. “investor reporting”.', max_length=120)),
                ('match_key', models.CharField(editable=False, help_text='Full name without case and punctuation.', max_length=400)),
                ('position', models.PositiveIntegerField(default=0, help_text='Sort order.')),
                ('escalate_after_minutes', models.PositiveSmallIntegerField(default=15, help_text='Minutes before an unacknowledged incident escalates.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='escalate after (minutes)')),
                ('escalate_critical_after_minutes', models.PositiveSmallIntegerField(blank=True, help_text='For critical incidents. Leave empty to use the default time.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='escalate critical after (minutes)')),
                ('escalate_low_after_minutes', models.PositiveSmallIntegerField(blank=True, help_text='For low-severity incidents. Leave empty to use the default time.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='escalate low after (minutes)')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='pipelines.pipeline')),
                ('primary_owner', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('secondary_owner', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pipeline',
            trigger=pgtrigger.compiler.Trigger(name='change_on_call_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_oncallversion_id_seq');\n    UPDATE people_oncallversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_oncallversion\n             WHERE id IN (SELECT id FROM people_oncallversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_oncallversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='92a514f48b2611bfdfb8388798e3f9ba466dfc4a', level='STATEMENT', operation='UPDATE OR INSERT OR DELETE OR TRUNCATE', pgid='pgtrigger_change_on_call_version_5ae2d', table='pipelines_pipeline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pipeline',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "pipelines_pipelineevent" ("audience", "escalate_after_minutes", "escalate_critical_after_minutes", "escalate_low_after_minutes", "id", "match_key", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "primary_owner_id", "secondary_owner_id", "slug") VALUES (NEW."audience", NEW."escalate_after_minutes", NEW."escalate_critical_after_minutes", NEW."escalate_low_after_minutes", NEW."id", NEW."match_key", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."position", NEW."primary_owner_id", NEW."secondary_owner_id", NEW."slug"); RETURN NULL;', hash='236c644e82a9a66dbdc6bf8f9e3e7832baa98bac', operation='INSERT', pgid='pgtrigger_insert_insert_368e3', table='pipelines_pipeline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pipeline',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "pipelines_pipelineevent" ("audience", "escalate_after_minutes", "escalate_critical_after_minutes", "escalate_low_after_minutes", "id", "match_key", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "primary_owner_id", "secondary_owner_id", "slug") VALUES (NEW."audience", NEW."escalate_after_minutes", NEW."escalate_critical_after_minutes", NEW."escalate_low_after_minutes", NEW."id", NEW."match_key", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."position", NEW."primary_owner_id", NEW."secondary_owner_id", NEW."slug"); RETURN NULL;', hash='ec05f122c94d665105ba84ddffad34dd1b672199', operation='UPDATE', pgid='pgtrigger_update_update_57214', table='pipelines_pipeline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pipeline',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "pipelines_pipelineevent" ("audience", "escalate_after_minutes", "escalate_critical_after_minutes", "escalate_low_after_minutes", "id", "match_key", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "primary_owner_id", "secondary_owner_id", "slug") VALUES (OLD."audience", OLD."escalate_after_minutes", OLD."escalate_critical_after_minutes", OLD."escalate_low_after_minutes", OLD."id", OLD."match_key", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."primary_owner_id", OLD."secondary_owner_id", OLD."slug"); RETURN NULL;', hash='74874e0d6a1acbc8b077f49719eb40cf73283d86', operation='DELETE', pgid='pgtrigger_delete_delete_8b7ec', table='pipelines_pipeline', when='AFTER')),
        ),
    ]
