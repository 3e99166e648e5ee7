import common.fields
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.manager
import people.models
import pgtrigger.compiler
import pgtrigger.migrations
import validation.models.checks
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
            name='ExternalCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tool', models.CharField(choices=[('dbt', 'dbt'), ('great_expectations', 'Great Expectations'), ('soda', 'Soda'), ('airflow', 'Airflow'), ('dagster', 'Dagster'), ('prefect', 'Prefect'), ('openlineage', 'OpenLineage')], max_length=30)),
                ('key', models.CharField(max_length=250)),
                ('name', models.CharField(max_length=250)),
                ('subject', models.CharField(blank=True, help_text='Table, model, source or DAG.', max_length=250)),
                ('column', models.CharField(blank=True, max_length=250)),
                ('measure', models.CharField(blank=True, max_length=250)),
                ('status', models.CharField(choices=[('pass', 'Pass'), ('warn', 'Warn'), ('fail', 'Fail'), ('error', 'Error'), ('skip', 'Skip'), ('unknown', 'Unknown')], max_length=10)),
                ('value', models.FloatField(blank=True, null=True)),
                ('message', models.TextField(blank=True)),
                ('at', models.DateTimeField(help_text='Time of the last result.')),
                ('period_at', models.DateTimeField(blank=True, help_text='Logical date of the last result, if the tool has one.', null=True)),
                ('is_stale', models.BooleanField(db_default=False, default=False, help_text='The last run made no updates because something upstream failed.', verbose_name='stale')),
                ('created_at', models.DateTimeField()),
                ('pipeline', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='external_checks', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['tool', 'key'],
                'constraints': [models.UniqueConstraint(fields=('tool', 'key'), name='external_check_key_is_unique'), models.CheckConstraint(condition=models.Q(('key', ''), _negated=True), name='external_check_has_a_key'), models.CheckConstraint(condition=models.Q(('status__in', ['pass', 'warn', 'fail', 'error', 'skip', 'unknown'])), name='external_check_has_a_status')],
            },
        ),
        migrations.CreateModel(
            name='ImportedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=1000, unique=True)),
                ('version', models.CharField(help_text='Time of change and size of the file.', max_length=60)),
                ('imported_at', models.DateTimeField()),
                ('error', models.TextField(blank=True, help_text='Why the file could not be imported.')),
            ],
            options={
                'ordering': ['path'],
            },
        ),
        migrations.CreateModel(
            name='MappingRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tool', models.CharField(blank=True, choices=[('dbt', 'dbt'), ('great_expectations', 'Great Expectations'), ('soda', 'Soda'), ('airflow', 'Airflow'), ('dagster', 'Dagster'), ('prefect', 'Prefect'), ('openlineage', 'OpenLineage')], help_text='Default: any tool.', max_length=30)),
                ('pattern', models.CharField(help_text='Key of a result, in any case; * matches anything, as in model.shop.*', max_length=250)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='external_rules', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['tool', 'pattern'],
                'constraints': [models.UniqueConstraint(fields=('tool', 'pattern'), name='rule_pattern_is_unique', violation_error_message='This tool and pattern already have a rule. Edit that rule instead.'), models.CheckConstraint(condition=models.Q(('pattern', ''), _negated=True), name='rule_has_a_pattern')],
            },
        ),
        migrations.CreateModel(
            name='ReportedRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='Name of the run, the same in every report of it.', max_length=200)),
                ('state', models.CharField(choices=[('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed')], max_length=9)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('reported_at', models.DateTimeField()),
                ('pipeline', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['-reported_at', '-pk'],
                'indexes': [models.Index(fields=['pipeline', 'state', 'finished_at'], name='run_of_pipeline')],
                'constraints': [models.UniqueConstraint(fields=('pipeline', 'key'), name='run_key_is_unique'), models.CheckConstraint(condition=models.Q(('key', ''), _negated=True), name='run_has_a_key'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at', None), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='finished_run_has_an_end')],
            },
        ),
        migrations.CreateModel(
            name='DataSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True)),
                ('address', common.fields.EncryptedTextField(editable=False)),
                ('dialect', models.CharField(editable=False, help_text='Kind of database.', max_length=30)),
                ('limit_seconds', models.PositiveSmallIntegerField(default=30, help_text='Longer queries are cancelled.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(90)], verbose_name='time limit (s)')),
                ('row_cap', models.PositiveIntegerField(default=100000, help_text='Queries that return more rows are refused.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='row limit')),
                ('load_minutes', models.PositiveIntegerField(blank=True, help_text='Minutes after the end of a day or hour until its data is loaded. Checks wait this long.', null=True, validators=[django.core.validators.MaxValueValidator(10080)], verbose_name='usual load time (min)')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='source_has_a_name'), models.CheckConstraint(condition=models.Q(('address', ''), _negated=True), name='source_has_an_address'), models.CheckConstraint(condition=models.Q(('limit_seconds__gte', 1), ('limit_seconds__lte', 90)), name='source_has_a_limit')],
            },
        ),
        migrations.CreateModel(
            name='DataSourceEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=80)),
                ('dialect', models.CharField(editable=False, help_text='Kind of database.', max_length=30)),
                ('limit_seconds', models.PositiveSmallIntegerField(default=30, help_text='Longer queries are cancelled.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(90)], verbose_name='time limit (s)')),
                ('row_cap', models.PositiveIntegerField(default=100000, help_text='Queries that return more rows are refused.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='row limit')),
                ('load_minutes', models.PositiveIntegerField(blank=True, help_text='Minutes after the end of a day or hour until its data is loaded. Checks wait this long.', null=True, validators=[django.core.validators.MaxValueValidator(10080)], verbose_name='usual load time (min)')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='validation.datasource')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ExternalFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('status', models.CharField(choices=[('pass', 'Pass'), ('warn', 'Warn'), ('fail', 'Fail'), ('error', 'Error'), ('skip', 'Skip'), ('unknown', 'Unknown')], max_length=10)),
                ('value', models.FloatField(blank=True, null=True)),
                ('message', models.TextField(blank=True)),
                ('digest', models.CharField(help_text='Hash of the result, so that the same result is stored once.', max_length=64)),
                ('received_at', models.DateTimeField()),
                ('external_check', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='validation.externalcheck')),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'constraints': [models.UniqueConstraint(fields=('external_check', 'at', 'digest'), name='finding_is_unique')],
            },
        ),
        migrations.CreateModel(
            name='MappingRuleEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('tool', models.CharField(blank=True, choices=[('dbt', 'dbt'), ('great_expectations', 'Great Expectations'), ('soda', 'Soda'), ('airflow', 'Airflow'), ('dagster', 'Dagster'), ('prefect', 'Prefect'), ('openlineage', 'OpenLineage')], help_text='Default: any tool.', max_length=30)),
                ('pattern', models.CharField(help_text='Key of a result, in any case; * matches anything, as in model.shop.*', max_length=250)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='validation.mappingrule')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Metric',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.CharField(max_length=80, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]+(?:-[a-z0-9]+)*\\Z', 'A slug has lower-case letters and digits, with single dashes between them.')])),
                ('name', models.CharField(max_length=120)),
                ('unit', models.CharField(blank=True, help_text='For example users, EUR or %.', max_length=30)),
                ('kind', models.CharField(choices=[('count', 'Count'), ('amount', 'Amount'), ('ratio', 'Ratio')], default='count', max_length=6)),
                ('grain', models.CharField(choices=[('day', 'Day'), ('hour', 'Hour')], default='day', max_length=4)),
                ('time_zone', models.CharField(default='UTC', help_text='Time zone of its business day.', max_length=64, validators=[people.models.valid_time_zone])),
                ('query', models.TextField(blank=True, help_text='One SELECT that returns the day or hour, the value, and optionally the segment.', max_length=20000)),
                ('settle_minutes', models.PositiveIntegerField(blank=True, help_text='Minutes after the end of a day or hour until its value is final. Checks wait this long.', null=True, validators=[django.core.validators.MaxValueValidator(10080)], verbose_name='settles after (min)')),
                ('pulled_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='metrics', to='pipelines.pipeline')),
                ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='metrics', to='validation.datasource')),
            ],
            options={
                'ordering': ['pipeline', 'name', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('pipeline', 'slug'), name='metric_slug_is_unique'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='metric_has_a_name'), models.CheckConstraint(condition=models.Q(('kind__in', ['count', 'amount', 'ratio'])), name='metric_has_a_kind'), models.CheckConstraint(condition=models.Q(('grain__in', ['day', 'hour'])), name='metric_has_a_grain'), models.CheckConstraint(condition=models.Q(models.Q(('query', ''), ('source', None)), models.Q(('source__isnull', False), models.Q(('query', ''), _negated=True)), _connector='OR'), name='metric_is_pulled_by_a_query', violation_error_message='Choose a data source and enter SQL, or leave both empty.')],
            },
        ),
        migrations.CreateModel(
            name='KnownEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(verbose_name='first day')),
                ('ends_on', models.DateField(verbose_name='last day')),
                ('name', models.CharField(help_text='For example “Black Friday”.', max_length=120)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('added_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='known_events', to='pipelines.pipeline')),
                ('metric', models.ForeignKey(blank=True, help_text='Default: every metric of the pipeline.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='known_events', to='validation.metric')),
            ],
            options={
                'ordering': ['-starts_on', '-pk'],
                'indexes': [models.Index(fields=['pipeline', 'ends_on'], name='event_of_pipeline')],
                'constraints': [models.CheckConstraint(condition=models.Q(('starts_on__lte', models.F('ends_on'))), name='event_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='event_has_a_name')],
            },
        ),
        migrations.CreateModel(
            name='MetricEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('slug', models.CharField(max_length=80, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]+(?:-[a-z0-9]+)*\\Z', 'A slug has lower-case letters and digits, with single dashes between them.')])),
                ('name', models.CharField(max_length=120)),
                ('unit', models.CharField(blank=True, help_text='For example users, EUR or %.', max_length=30)),
                ('kind', models.CharField(choices=[('count', 'Count'), ('amount', 'Amount'), ('ratio', 'Ratio')], default='count', max_length=6)),
                ('grain', models.CharField(choices=[('day', 'Day'), ('hour', 'Hour')], default='day', max_length=4)),
                ('time_zone', models.CharField(default='UTC', help_text='Time zone of its business day.', max_length=64, validators=[people.models.valid_time_zone])),
                ('query', models.TextField(blank=True, help_text='One SELECT that returns the day or hour, the value, and optionally the segment.', max_length=20000)),
                ('settle_minutes', models.PositiveIntegerField(blank=True, help_text='Minutes after the end of a day or hour until its value is final. Checks wait this long.', null=True, validators=[django.core.validators.MaxValueValidator(10080)], verbose_name='settles after (min)')),
                ('pulled_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='validation.metric')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('source', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='validation.datasource')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='MetricPoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('segment', models.CharField(blank=True, default='', help_text='Blank for the total.', max_length=120)),
                ('bucket', models.DateTimeField()),
                ('value', models.FloatField()),
                ('observed_at', models.DateTimeField()),
                ('is_expected', models.BooleanField(default=False, help_text='Marked as expected: left out of baselines and alerts.')),
                ('metric', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='points', to='validation.metric')),
            ],
            options={
                'ordering': ['metric', 'segment', 'bucket'],
                'indexes': [models.Index(fields=['metric', 'bucket'], name='point_of_metric')],
                'constraints': [models.UniqueConstraint(fields=('metric', 'segment', 'bucket'), name='point_is_unique'), models.CheckConstraint(condition=models.Q(('value__gt', float("-inf")), ('value__lt', float("inf"))), name='point_is_a_finite_number')],
            },
        ),
        migrations.CreateModel(
            name='Check',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('check_type', models.CharField(choices=validation.models.checks.check_type_choices, max_length=16, verbose_name='type')),
                ('query', models.TextField(blank=True, help_text='One read-only statement, for checks with their own SQL.', max_length=20000)),
                ('parameters', models.JSONField(blank=True, default=dict)),
                ('severity', models.CharField(choices=[('warn', 'Warning'), ('low', 'Low'), ('fail', 'High'), ('critical', 'Critical')], default='fail', max_length=8)),
                ('interval_minutes', models.PositiveIntegerField(blank=True, default=60, help_text='Leave blank to use a cron expression.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10080)], verbose_name='run every (min)')),
                ('cron', models.CharField(blank=True, help_text='In the metric’s time zone, such as 0 7 * * 1-5.', max_length=100, verbose_name='cron expression')),
                ('settle_minutes', models.PositiveIntegerField(default=0, help_text='Minutes after the end of a day or hour until it is evaluated.', validators=[django.core.validators.MaxValueValidator(10080)], verbose_name='evaluation delay (min)')),
                ('confirm', models.PositiveSmallIntegerField(default=1, help_text='Number of failed results that start an alert …', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)], verbose_name='alert when')),
                ('confirm_of', models.PositiveSmallIntegerField(default=1, help_text='… among this many results.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)], verbose_name='of the last')),
                ('cooldown_minutes', models.PositiveIntegerField(default=0, help_text='Minimum time between alerts.', validators=[django.core.validators.MaxValueValidator(10080)], verbose_name='cooldown (min)')),
                ('muted_until', models.DateTimeField(blank=True, null=True)),
                ('weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), blank=True, default=list, help_text='Days on which data is expected, 0 for Monday. Default: every day.', size=None)),
                ('country', models.CharField(blank=True, help_text='Country of the public holidays, such as DE.', max_length=2, validators=[people.models.valid_country])),
                ('holidays', models.CharField(choices=[('ordinary', 'Treat normally'), ('not_expected', 'Expect no data'), ('known', 'Evaluate but don’t alert')], default='ordinary', max_length=12, verbose_name='on public holidays')),
                ('is_active', models.BooleanField(default=True, verbose_name='enabled')),
                ('proposed_from', models.CharField(blank=True, help_text='Line of the handbook that asks for this check.', max_length=500)),
                ('next_due_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('requested_at', models.DateTimeField(blank=True, editable=False, help_text='When a user requested a run.', null=True)),
                ('claim', models.UUIDField(blank=True, editable=False, null=True)),
                ('lease_until', models.DateTimeField(blank=True, editable=False, null=True)),
                ('running_since', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_status', models.CharField(blank=True, choices=[('pass', 'Pass'), ('warn', 'Warn'), ('fail', 'Fail'), ('error', 'Error'), ('skip', 'Skip'), ('unknown', 'Unknown')], editable=False, max_length=8)),
                ('last_message', models.TextField(blank=True, editable=False)),
                ('last_value', models.FloatField(blank=True, editable=False, null=True)),
                ('last_expected', models.CharField(blank=True, editable=False, max_length=120)),
                ('last_bucket', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_run_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('alerting_since', models.DateTimeField(blank=True, editable=False, null=True)),
                ('alert_ended_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('deleted_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='checks', to='pipelines.pipeline')),
                ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='checks', to='validation.datasource')),
                ('metric', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='checks', to='validation.metric')),
                ('other_metric', models.ForeignKey(blank=True, help_text='Denominator, metric to compare with, or companion that explains the metric.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='validation.metric')),
            ],
            options={
                'ordering': ['pipeline__position', 'pipeline', 'name'],
                'base_manager_name': 'all_objects',
                'indexes': [models.Index(condition=models.Q(('is_active', True)), fields=['next_due_at'], name='check_due'), models.Index(condition=models.Q(('alerting_since__isnull', False)), fields=['alerting_since'], name='check_alerting')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('pipeline', 'name'), name='check_name_is_unique', violation_error_message='Another check of this pipeline has this name.'), models.CheckConstraint(condition=models.Q(('deleted_at', None), models.Q(('alerting_since', None), ('claim', None), ('next_due_at', None)), _connector='OR'), name='deleted_check_is_idle'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='check_has_a_name'), models.CheckConstraint(condition=models.Q(('check_type__in', ['anomaly', 'change_over_time', 'completeness', 'custom_sql', 'freshness', 'range', 'ratio', 'reconciliation', 'relationships', 'run_deadline', 'schema', 'target', 'validity', 'volume'])), name='check_has_a_type'), models.CheckConstraint(condition=models.Q(('interval_minutes__isnull', True), ('cron', ''), _connector='XOR'), name='check_has_one_schedule', violation_error_message='Enter an interval or a cron expression, not both.'), models.CheckConstraint(condition=models.Q(('interval_minutes', None), ('interval_minutes__gte', 1), _connector='OR'), name='check_interval_is_positive'), models.CheckConstraint(condition=models.Q(('confirm__gte', 1), ('confirm__lte', models.F('confirm_of')), ('confirm_of__lte', 20)), name='check_confirms_n_of_m', violation_error_message='The number of failed results must not exceed the number of results considered.'), models.CheckConstraint(condition=models.Q(models.Q(('claim', None), ('lease_until', None)), models.Q(('claim__isnull', False), ('lease_until__isnull', False)), _connector='OR'), name='check_claim_has_a_lease'), models.CheckConstraint(condition=models.Q(('is_active', False), ('check_type__in', ['custom_sql', 'relationships', 'run_deadline', 'schema', 'validity']), ('metric__isnull', False), _connector='OR'), name='check_on_has_a_metric', violation_error_message='Choose a metric before you enable the check.'), models.CheckConstraint(condition=models.Q(models.Q(('query', ''), ('source', None)), models.Q(('source__isnull', False), models.Q(('query', ''), _negated=True)), _connector='OR'), name='check_query_has_a_source', violation_error_message='Choose a data source and enter SQL.')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('all_objects', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='DetectorState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('segment', models.CharField(blank=True, default='', max_length=120)),
                ('hour', models.PositiveSmallIntegerField(help_text='Hour of the buckets, in UTC.')),
                ('since', models.DateTimeField(help_text='First bucket of the series.')),
                ('through', models.DateTimeField(help_text='Last bucket of the series.')),
                ('digest', models.CharField(help_text='Sum of the hashes of the data points.', max_length=40)),
                ('settings', models.CharField(help_text='Hash of the code, the parameters and the calendar.', max_length=64)),
                ('data', models.BinaryField()),
                ('is_weekly', models.BooleanField(default=False)),
                ('parent_check', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='detector_states', to='validation.check')),
            ],
            options={
                'ordering': ['parent_check', 'segment', 'hour', '-through'],
                'constraints': [models.UniqueConstraint(fields=('parent_check', 'segment', 'hour', 'through'), name='detector_state_is_unique')],
            },
        ),
        migrations.CreateModel(
            name='KnownEventEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('starts_on', models.DateField(verbose_name='first day')),
                ('ends_on', models.DateField(verbose_name='last day')),
                ('name', models.CharField(help_text='For example “Black Friday”.', max_length=120)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('added_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='validation.knownevent')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('metric', models.ForeignKey(blank=True, db_constraint=False, help_text='Default: every metric of the pipeline.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='validation.metric')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='MetricPointRevision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value', models.FloatField()),
                ('observed_at', models.DateTimeField()),
                ('replaced_at', models.DateTimeField()),
                ('point', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='validation.metricpoint')),
            ],
            options={
                'ordering': ['point', '-replaced_at', '-pk'],
                'indexes': [models.Index(fields=['replaced_at'], name='revision_newest')],
            },
        ),
        migrations.CreateModel(
            name='PendingReevaluation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('bucket', models.DateTimeField()),
                ('parent_check', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='pending_reevaluations', to='validation.check')),
            ],
            options={
                'ordering': ['parent_check', 'bucket'],
                'constraints': [models.UniqueConstraint(fields=('parent_check', 'bucket'), name='reevaluation_is_unique')],
            },
        ),
        migrations.CreateModel(
            name='CheckResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('pass', 'Pass'), ('warn', 'Warn'), ('fail', 'Fail'), ('error', 'Error'), ('skip', 'Skip'), ('unknown', 'Unknown')], max_length=8)),
                ('value', models.FloatField(blank=True, null=True)),
                ('low', models.FloatField(blank=True, null=True)),
                ('high', models.FloatField(blank=True, null=True)),
                ('message', models.TextField(blank=True)),
                ('details', models.TextField(blank=True, help_text='Values from the data source, for admins only.')),
                ('bucket', models.DateTimeField(blank=True, help_text='The day or hour that was evaluated.', null=True, verbose_name='day or hour')),
                ('expected', models.CharField(blank=True, help_text='The known event, or who marked the result as expected.', max_length=120)),
                ('trigger', models.CharField(choices=[('schedule', 'Scheduled'), ('manual', 'Run now'), ('backfill', 'Data arrived late or changed')], default='schedule', max_length=8)),
                ('segments', models.JSONField(blank=True, default=list)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField()),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('acknowledged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('parent_check', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='results', to='validation.check')),
            ],
            options={
                'verbose_name': 'result',
                'ordering': ['-started_at', '-pk'],
                'indexes': [models.Index(fields=['parent_check', '-started_at', '-id'], name='result_newest'), models.Index(fields=['parent_check', 'bucket'], name='result_of_bucket')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['pass', 'warn', 'fail', 'error', 'skip', 'unknown'])), name='result_has_a_status'), models.CheckConstraint(condition=models.Q(('started_at__lte', models.F('finished_at'))), name='result_ends_after_it_starts')],
            },
        ),
        migrations.CreateModel(
            name='CheckEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=120)),
                ('check_type', models.CharField(choices=validation.models.checks.check_type_choices, max_length=16, verbose_name='type')),
                ('query', models.TextField(blank=True, help_text='One read-only statement, for checks with their own SQL.', max_length=20000)),
                ('parameters', models.JSONField(blank=True, default=dict)),
                ('severity', models.CharField(choices=[('warn', 'Warning'), ('low', 'Low'), ('fail', 'High'), ('critical', 'Critical')], default='fail', max_length=8)),
                ('interval_minutes', models.PositiveIntegerField(blank=True, default=60, help_text='Leave blank to use a cron expression.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10080)], verbose_name='run every (min)')),
                ('cron', models.CharField(blank=True, help_text='In the metric’s time zone, such as 0 7 * * 1-5.', max_length=100, verbose_name='cron expression')),
                ('settle_minutes', models.PositiveIntegerField(default=0, help_text='Minutes after the end of a day or hour until it is evaluated.', validators=[django.core.validators.MaxValueValidator(10080)], verbose_name='evaluation delay (min)')),
                ('confirm', models.PositiveSmallIntegerField(default=1, help_text='Number of failed results that start an alert …', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)], verbose_name='alert when')),
                ('confirm_of', models.PositiveSmallIntegerField(default=1, help_text='… among this many results.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)], verbose_name='of the last')),
                ('cooldown_minutes', models.PositiveIntegerField(default=0, help_text='Minimum time between alerts.', validators=[django.core.validators.MaxValueValidator(10080)], verbose_name='cooldown (min)')),
                ('muted_until', models.DateTimeField(blank=True, null=True)),
                ('weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), blank=True, default=list, help_text='Days on which data is expected, 0 for Monday. Default: every day.', size=None)),
                ('country', models.CharField(blank=True, help_text='Country of the public holidays, such as DE.', max_length=2, validators=[people.models.valid_country])),
                ('holidays', models.CharField(choices=[('ordinary', 'Treat normally'), ('not_expected', 'Expect no data'), ('known', 'Evaluate but don’t alert')], default='ordinary', max_length=12, verbose_name='on public holidays')),
                ('is_active', models.BooleanField(default=True, verbose_name='enabled')),
                ('proposed_from', models.CharField(blank=True, help_text='Line of the handbook that asks for this check.', max_length=500)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('deleted_by', models.ForeignKey(blank=True, db_constraint=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='validation.check')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('source', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='validation.datasource')),
                ('metric', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='validation.metric')),
                ('other_metric', models.ForeignKey(blank=True, db_constraint=False, help_text='Denominator, metric to compare with, or companion that explains the metric.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='validation.metric')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', '-pgh_id'], name='check_event_newest')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='datasource',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "validation_datasourceevent" ("dialect", "id", "limit_seconds", "load_minutes", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "row_cap") VALUES (NEW."dialect", NEW."id", NEW."limit_seconds", NEW."load_minutes", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."row_cap"); RETURN NULL;', hash='c94c14053d1b87540f0abf1a5ef62055461c26e7', operation='INSERT', pgid='pgtrigger_insert_insert_f27eb', table='validation_datasource', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='datasource',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."dialect" IS DISTINCT FROM (NEW."dialect") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."limit_seconds" IS DISTINCT FROM (NEW."limit_seconds") OR OLD."load_minutes" IS DISTINCT FROM (NEW."load_minutes") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."row_cap" IS DISTINCT FROM (NEW."row_cap"))', func='INSERT INTO "validation_datasourceevent" ("dialect", "id", "limit_seconds", "load_minutes", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "row_cap") VALUES (NEW."dialect", NEW."id", NEW."limit_seconds", NEW."load_minutes", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."row_cap"); RETURN NULL;', hash='973cf0cb492e24ad6ca6e1f576ebe7ae51efa5f9', operation='UPDATE', pgid='pgtrigger_update_update_d29c0', table='validation_datasource', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='datasource',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "validation_datasourceevent" ("dialect", "id", "limit_seconds", "load_minutes", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "row_cap") VALUES (OLD."dialect", OLD."id", OLD."limit_seconds", OLD."load_minutes", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."row_cap"); RETURN NULL;', hash='dd20ad4cb76c49342c60d71a6dc5727cd1449408', operation='DELETE', pgid='pgtrigger_delete_delete_b3a99', table='validation_datasource', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mappingrule',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "validation_mappingruleevent" ("id", "pattern", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "tool") VALUES (NEW."id", NEW."pattern", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."tool"); RETURN NULL;', hash='1dac160879bf28726171cf1aa0e17d1e05048c2f', operation='INSERT', pgid='pgtrigger_insert_insert_cae2c', table='validation_mappingrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mappingrule',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "validation_mappingruleevent" ("id", "pattern", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "tool") VALUES (NEW."id", NEW."pattern", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."tool"); RETURN NULL;', hash='a28a2ccb6592ba653a3bc3a6d53234ed1704900e', operation='UPDATE', pgid='pgtrigger_update_update_3b47a', table='validation_mappingrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='mappingrule',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "validation_mappingruleevent" ("id", "pattern", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "tool") VALUES (OLD."id", OLD."pattern", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."tool"); RETURN NULL;', hash='373ce205cc6b1797a9614ac56a76fa455f3f9629', operation='DELETE', pgid='pgtrigger_delete_delete_ce688', table='validation_mappingrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='metric',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "validation_metricevent" ("grain", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "pulled_at", "query", "settle_minutes", "slug", "source_id", "time_zone", "unit") VALUES (NEW."grain", NEW."id", NEW."kind", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."pulled_at", NEW."query", NEW."settle_minutes", NEW."slug", NEW."source_id", NEW."time_zone", NEW."unit"); RETURN NULL;', hash='59842d1d07ce005dd20e7cdc509af4055d1ac83d', operation='INSERT', pgid='pgtrigger_insert_insert_15134', table='validation_metric', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='metric',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "validation_metricevent" ("grain", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "pulled_at", "query", "settle_minutes", "slug", "source_id", "time_zone", "unit") VALUES (NEW."grain", NEW."id", NEW."kind", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."pulled_at", NEW."query", NEW."settle_minutes", NEW."slug", NEW."source_id", NEW."time_zone", NEW."unit"); RETURN NULL;', hash='304372b3567553e76d986db04f55878cadec4391', operation='UPDATE', pgid='pgtrigger_update_update_2c1ba', table='validation_metric', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='metric',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "validation_metricevent" ("grain", "id", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "pulled_at", "query", "settle_minutes", "slug", "source_id", "time_zone", "unit") VALUES (OLD."grain", OLD."id", OLD."kind", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."pulled_at", OLD."query", OLD."settle_minutes", OLD."slug", OLD."source_id", OLD."time_zone", OLD."unit"); RETURN NULL;', hash='85f17cd118b3c4aae8ca62dec78b445f951ed364', operation='DELETE', pgid='pgtrigger_delete_delete_ca642', table='validation_metric', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='knownevent',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "validation_knowneventevent" ("added_by_id", "created_at", "ends_on", "id", "metric_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "starts_on") VALUES (NEW."added_by_id", NEW."created_at", NEW."ends_on", NEW."id", NEW."metric_id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."starts_on"); RETURN NULL;', hash='70c0ee276d7c6243509cc487dfd10152008e7a53', operation='INSERT', pgid='pgtrigger_insert_insert_4b565', table='validation_knownevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='knownevent',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "validation_knowneventevent" ("added_by_id", "created_at", "ends_on", "id", "metric_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "starts_on") VALUES (NEW."added_by_id", NEW."created_at", NEW."ends_on", NEW."id", NEW."metric_id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."starts_on"); RETURN NULL;', hash='02832e084a1d05738450bbc98743c6951c21d0c5', operation='UPDATE', pgid='pgtrigger_update_update_96121', table='validation_knownevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='knownevent',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "validation_knowneventevent" ("added_by_id", "created_at", "ends_on", "id", "metric_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "starts_on") VALUES (OLD."added_by_id", OLD."created_at", OLD."ends_on", OLD."id", OLD."metric_id", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."starts_on"); RETURN NULL;', hash='2c8acedc245c824bbde0e0a6b23b827a73456484', operation='DELETE', pgid='pgtrigger_delete_delete_2ed1e', table='validation_knownevent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='check',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "validation_checkevent" ("check_type", "confirm", "confirm_of", "cooldown_minutes", "country", "cron", "deleted_at", "deleted_by_id", "holidays", "id", "interval_minutes", "is_active", "metric_id", "muted_until", "name", "other_metric_id", "parameters", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "proposed_from", "query", "settle_minutes", "severity", "source_id", "weekdays") VALUES (NEW."check_type", NEW."confirm", NEW."confirm_of", NEW."cooldown_minutes", NEW."country", NEW."cron", NEW."deleted_at", NEW."deleted_by_id", NEW."holidays", NEW."id", NEW."interval_minutes", NEW."is_active", NEW."metric_id", NEW."muted_until", NEW."name", NEW."other_metric_id", NEW."parameters", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."proposed_from", NEW."query", NEW."settle_minutes", NEW."severity", NEW."source_id", NEW."weekdays"); RETURN NULL;', hash='22edc71ed23ad5ce0ddf34dc36c4e8bfdf6257f3', operation='INSERT', pgid='pgtrigger_insert_insert_3c8cb', table='validation_check', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='check',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."check_type" IS DISTINCT FROM (NEW."check_type") OR OLD."confirm" IS DISTINCT FROM (NEW."confirm") OR OLD."confirm_of" IS DISTINCT FROM (NEW."confirm_of") OR OLD."cooldown_minutes" IS DISTINCT FROM (NEW."cooldown_minutes") OR OLD."country" IS DISTINCT FROM (NEW."country") OR OLD."cron" IS DISTINCT FROM (NEW."cron") OR OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."holidays" IS DISTINCT FROM (NEW."holidays") OR OLD."interval_minutes" IS DISTINCT FROM (NEW."interval_minutes") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."metric_id" IS DISTINCT FROM (NEW."metric_id") OR OLD."muted_until" IS DISTINCT FROM (NEW."muted_until") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."other_metric_id" IS DISTINCT FROM (NEW."other_metric_id") OR OLD."parameters" IS DISTINCT FROM (NEW."parameters") OR OLD."query" IS DISTINCT FROM (NEW."query") OR OLD."settle_minutes" IS DISTINCT FROM (NEW."settle_minutes") OR OLD."severity" IS DISTINCT FROM (NEW."severity") OR OLD."source_id" IS DISTINCT FROM (NEW."source_id") OR OLD."weekdays" IS DISTINCT FROM (NEW."weekdays"))', func='INSERT INTO "validation_checkevent" ("check_type", "confirm", "confirm_of", "cooldown_minutes", "country", "cron", "deleted_at", "deleted_by_id", "holidays", "id", "interval_minutes", "is_active", "metric_id", "muted_until", "name", "other_metric_id", "parameters", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "proposed_from", "query", "settle_minutes", "severity", "source_id", "weekdays") VALUES (NEW."check_type", NEW."confirm", NEW."confirm_of", NEW."cooldown_minutes", NEW."country", NEW."cron", NEW."deleted_at", NEW."deleted_by_id", NEW."holidays", NEW."id", NEW."interval_minutes", NEW."is_active", NEW."metric_id", NEW."muted_until", NEW."name", NEW."other_metric_id", NEW."parameters", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."proposed_from", NEW."query", NEW."settle_minutes", NEW."severity", NEW."source_id", NEW."weekdays"); RETURN NULL;', hash='c7f5b0ac6e7cc94ab0d7aef1bb12dafc0fcd647f', operation='UPDATE', pgid='pgtrigger_update_update_3c0d8', table='validation_check', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='check',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "validation_checkevent" ("check_type", "confirm", "confirm_of", "cooldown_minutes", "country", "cron", "deleted_at", "deleted_by_id", "holidays", "id", "interval_minutes", "is_active", "metric_id", "muted_until", "name", "other_metric_id", "parameters", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "proposed_from", "query", "settle_minutes", "severity", "source_id", "weekdays") VALUES (OLD."check_type", OLD."confirm", OLD."confirm_of", OLD."cooldown_minutes", OLD."country", OLD."cron", OLD."deleted_at", OLD."deleted_by_id", OLD."holidays", OLD."id", OLD."interval_minutes", OLD."is_active", OLD."metric_id", OLD."muted_until", OLD."name", OLD."other_metric_id", OLD."parameters", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."proposed_from", OLD."query", OLD."settle_minutes", OLD."severity", OLD."source_id", OLD."weekdays"); RETURN NULL;', hash='8ecca779e23a63c3d98775d0feb7c5dc72720dff', operation='DELETE', pgid='pgtrigger_delete_delete_1517b', table='validation_check', when='AFTER')),
        ),
    ]
