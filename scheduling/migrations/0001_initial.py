import common.fields
import datetime
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import people.models
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
            name='CalendarLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', common.fields.EncryptedTextField(editable=False)),
                ('host', models.CharField(max_length=255)),
                ('state', models.CharField(choices=[('new', 'Not synced yet'), ('ok', 'Synced'), ('partial', 'Partly synced'), ('failing', 'Failing')], default='new', max_length=8)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('skipped_events', models.JSONField(blank=True, default=list, editable=False, help_text='Events that could not be read: title and reason. Private.')),
                ('last_read_at', models.DateTimeField(blank=True, null=True)),
                ('last_success_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('engineer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='calendar_link', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['engineer'],
                'indexes': [models.Index(fields=['last_read_at'], name='link_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['failing', 'partial']), ('problem', ''), _connector='OR'), name='only_a_link_with_problems_names_one')],
            },
        ),
        migrations.CreateModel(
            name='CoverageGap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('found_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('pipeline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='coverage_gaps', to='pipelines.pipeline')),
            ],
            options={
                'ordering': ['starts_at', 'pipeline'],
                'constraints': [models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='gap_has_a_length'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func(models.F('pipeline_id'), models.F('pipeline_id'), models.Value('[]'), function='int8range', output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField()), '&&'), (models.Func(models.F('starts_at'), models.F('ends_at'), django.contrib.postgres.fields.ranges.RangeBoundary(), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='gaps_never_overlap', violation_error_message='Gaps of a pipeline cannot overlap.')],
            },
        ),
        migrations.CreateModel(
            name='Rotation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.CharField(max_length=80, unique=True, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]+(?:-[a-z0-9]+)*\\Z', 'A slug has lower-case letters and digits, with single dashes between them.')])),
                ('name', models.CharField(max_length=120)),
                ('description', models.TextField(blank=True, help_text='Text about the rotation in the handbook.', max_length=10000)),
                ('time_zone', models.CharField(default='UTC', max_length=64, validators=[people.models.valid_time_zone])),
                ('handoff_weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=0)),
                ('handoff_time', models.TimeField(default=datetime.time(10, 0), help_text="Local time in the rotation's time zone.")),
                ('weekly_drill', models.BooleanField(default=False, help_text='Start a drill once a week for the engineer on call. It is marked as a drill everywhere.')),
                ('drill_weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=1)),
                ('drill_time', models.TimeField(default=datetime.time(11, 0), help_text="Local time in the rotation's time zone.")),
                ('drill_changed_at', models.DateTimeField(blank=True, editable=False, help_text='When the schedule of its drills last changed.', null=True)),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('policy_name', models.CharField(default='Holiday Policy', max_length=120, verbose_name='holiday policy name')),
                ('policy_introduction', models.TextField(blank=True)),
                ('policy_rules', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), blank=True, default=list, help_text='Rules of the holiday policy, in order.', size=None)),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='rotation_has_a_name'), models.CheckConstraint(condition=models.Q(('handoff_weekday__gte', 0), ('handoff_weekday__lte', 6)), name='rotation_hands_off_on_a_weekday'), models.CheckConstraint(condition=models.Q(('drill_weekday__gte', 0), ('drill_weekday__lte', 6)), name='rotation_drills_on_a_weekday')],
            },
        ),
        migrations.CreateModel(
            name='Roster',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(help_text="Start date of the first engineer's week.")),
                ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rosters', to='scheduling.rotation')),
            ],
            options={
                'ordering': ['rotation', 'starts_on'],
                'constraints': [models.UniqueConstraint(fields=('rotation', 'starts_on'), name='one_roster_per_week')],
            },
        ),
        migrations.CreateModel(
            name='RotationEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('slug', models.CharField(max_length=80, validators=[django.core.validators.RegexValidator('\\A[a-z0-9]+(?:-[a-z0-9]+)*\\Z', 'A slug has lower-case letters and digits, with single dashes between them.')])),
                ('name', models.CharField(max_length=120)),
                ('description', models.TextField(blank=True, help_text='Text about the rotation in the handbook.', max_length=10000)),
                ('time_zone', models.CharField(default='UTC', max_length=64, validators=[people.models.valid_time_zone])),
                ('handoff_weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=0)),
                ('handoff_time', models.TimeField(default=datetime.time(10, 0), help_text="Local time in the rotation's time zone.")),
                ('weekly_drill', models.BooleanField(default=False, help_text='Start a drill once a week for the engineer on call. It is marked as a drill everywhere.')),
                ('drill_weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=1)),
                ('drill_time', models.TimeField(default=datetime.time(11, 0), help_text="Local time in the rotation's time zone.")),
                ('drill_changed_at', models.DateTimeField(blank=True, editable=False, help_text='When the schedule of its drills last changed.', null=True)),
                ('archived_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('policy_name', models.CharField(default='Holiday Policy', max_length=120, verbose_name='holiday policy name')),
                ('policy_introduction', models.TextField(blank=True)),
                ('policy_rules', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), blank=True, default=list, help_text='Rules of the holiday policy, in order.', size=None)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RotationWeek',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('engineer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='weeks', to=settings.AUTH_USER_MODEL)),
                ('planned_engineer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='planned_weeks', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='weeks', to='scheduling.rotation')),
            ],
            options={
                'verbose_name': 'week',
                'ordering': ['rotation', 'starts_on'],
                'indexes': [models.Index(fields=['engineer', 'starts_at'], name='week_of_engineer'), models.Index(fields=['rotation', 'ends_at'], name='week_window')],
                'constraints': [models.UniqueConstraint(fields=('rotation', 'starts_on'), name='one_week_per_date'), models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='week_has_a_length'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func(models.F('rotation_id'), models.F('rotation_id'), models.Value('[]'), function='int8range', output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField()), '&&'), (models.Func(models.F('starts_at'), models.F('ends_at'), django.contrib.postgres.fields.ranges.RangeBoundary(), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='weeks_never_overlap', violation_error_message='Weeks of a rotation cannot overlap.')],
            },
        ),
        migrations.CreateModel(
            name='SwapRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Open'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('cancelled', 'Withdrawn'), ('expired', 'Expired'), ('void', 'Superseded')], default='pending', max_length=10)),
                ('declined_by', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, help_text='Engineers who declined a request to anyone.', size=None)),
                ('reason', models.CharField(blank=True, help_text='Why it was declined or superseded.', max_length=500)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('reminded_at', models.DateTimeField(blank=True, editable=False, help_text='Last reminder to those who have not answered.', null=True)),
                ('offered_week', models.DateField()),
                ('wanted_week', models.DateField(blank=True, null=True)),
                ('third_week', models.DateField(blank=True, null=True)),
                ('message', models.CharField(blank=True, max_length=500)),
                ('acknowledged', models.BooleanField(default=False, help_text='The requester confirmed the swap although they are away in the week they take.')),
                ('accepted_by', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, help_text='Recipients of a three-way swap who have accepted.', size=None)),
                ('counterpart', models.ForeignKey(blank=True, help_text='Recipient. Leave empty to ask anyone.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(help_text='The requester, or an admin on their behalf.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requester', models.ForeignKey(help_text='Engineer whose time it is about.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='swaps', to='scheduling.rotation')),
                ('third', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at', '-pk'],
                'abstract': False,
                'indexes': [models.Index(fields=['state', 'expires_at'], name='swaprequest_expiry'), models.Index(fields=['rotation', 'state', 'offered_week'], name='swap_of_rotation')],
                'constraints': [models.CheckConstraint(condition=models.Q(('counterpart', None), models.Q(('counterpart', models.F('requester')), _negated=True), _connector='OR'), name='swaprequest_people_differ'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='closed_swaprequest_has_date'), models.CheckConstraint(condition=models.Q(('wanted_week', models.F('offered_week')), _negated=True), name='swap_weeks_differ'), models.CheckConstraint(condition=models.Q(('wanted_week', None), ('counterpart__isnull', False), _connector='OR'), name='wanted_week_has_counterpart'), models.CheckConstraint(condition=models.Q(models.Q(('third', None), ('third_week', None)), models.Q(('third__isnull', False), ('third_week__isnull', False), ('wanted_week__isnull', False)), _connector='OR'), name='three_way_swap_is_complete'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'accepted'), _negated=True), ('counterpart__isnull', False), _connector='OR'), name='accepted_swap_has_counterpart')],
            },
        ),
        migrations.CreateModel(
            name='CalendarLinkEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('host', models.CharField(max_length=255)),
                ('state', models.CharField(choices=[('new', 'Not synced yet'), ('ok', 'Synced'), ('partial', 'Partly synced'), ('failing', 'Failing')], default='new', max_length=8)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('engineer', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.calendarlink')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='CoverageGapEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('found_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.coveragegap')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='CoverRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Open'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('cancelled', 'Withdrawn'), ('expired', 'Expired'), ('void', 'Superseded')], default='pending', max_length=10)),
                ('declined_by', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, help_text='Engineers who declined a request to anyone.', size=None)),
                ('reason', models.CharField(blank=True, help_text='Why it was declined or superseded.', max_length=500)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('reminded_at', models.DateTimeField(blank=True, editable=False, help_text='Last reminder to those who have not answered.', null=True)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('message', models.CharField(blank=True, help_text='Becomes the reason of the cover.', max_length=200)),
                ('counterpart', models.ForeignKey(blank=True, help_text='Recipient. Leave empty to ask anyone.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(help_text='The requester, or an admin on their behalf.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requester', models.ForeignKey(help_text='Engineer whose time it is about.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cover_requests', to='scheduling.rotation')),
            ],
            options={
                'ordering': ['-created_at', '-pk'],
                'abstract': False,
                'indexes': [models.Index(fields=['state', 'expires_at'], name='coverrequest_expiry'), models.Index(fields=['rotation', 'state', 'starts_at'], name='cover_request_of_rotation')],
                'constraints': [models.CheckConstraint(condition=models.Q(('counterpart', None), models.Q(('counterpart', models.F('requester')), _negated=True), _connector='OR'), name='coverrequest_people_differ'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('state', 'pending')), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='closed_coverrequest_has_date'), models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='cover_request_has_a_length'), models.CheckConstraint(condition=models.Q(('expires_at__lte', models.F('ends_at'))), name='cover_request_expires_before_it_ends'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('state', 'pending')), expressions=[(models.Func(models.F('rotation_id'), models.F('rotation_id'), models.Value('[]'), function='int8range', output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField()), '&&'), (models.Func(models.F('requester_id'), models.F('requester_id'), models.Value('[]'), function='int8range', output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField()), '&&'), (models.Func(models.F('starts_at'), models.F('ends_at'), django.contrib.postgres.fields.ranges.RangeBoundary(), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='open_cover_requests_never_overlap', violation_error_message='Open cover requests of an engineer cannot overlap.')],
            },
        ),
        migrations.CreateModel(
            name='HolidayBlock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(verbose_name='first day')),
                ('ends_on', models.DateField(verbose_name='last day')),
                ('starts_at_time', models.TimeField(blank=True, help_text='On the first day. Leave empty for all day.', null=True, verbose_name='from')),
                ('ends_at_time', models.TimeField(blank=True, help_text='On the last day. Leave empty for all day.', null=True, verbose_name='until')),
                ('kind', models.CharField(choices=[('holiday', 'Holiday'), ('sick', 'Sick'), ('training', 'Training'), ('other', 'Other')], default='holiday', max_length=10)),
                ('note', models.CharField(blank=True, help_text='Only the engineer and admins can read it.', max_length=500)),
                ('time_zone', models.CharField(editable=False, help_text='Time zone in which the dates were entered.', max_length=64)),
                ('starts_at', models.DateTimeField(editable=False)),
                ('ends_at', models.DateTimeField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('link_uid', models.CharField(blank=True, editable=False, max_length=200)),
                ('engineer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holidays', to=settings.AUTH_USER_MODEL)),
                ('link', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='blocks', to='scheduling.calendarlink')),
            ],
            options={
                'verbose_name': 'time off',
                'verbose_name_plural': 'time off',
                'ordering': ['starts_on', 'pk'],
                'indexes': [models.Index(fields=['ends_at', 'starts_at'], name='holiday_window'), models.Index(fields=['engineer', 'ends_at'], name='holiday_of_engineer')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('link__isnull', False)), fields=('link', 'link_uid', 'starts_on'), name='one_absence_per_event'), models.CheckConstraint(condition=models.Q(('starts_on__lte', models.F('ends_on'))), name='holiday_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='holiday_has_a_length')],
            },
        ),
        migrations.CreateModel(
            name='PipelineRotation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('pipeline', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='in_rotation', to='pipelines.pipeline')),
                ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pipelines', to='scheduling.rotation')),
            ],
            options={
                'ordering': ['rotation', 'pipeline'],
            },
        ),
        migrations.CreateModel(
            name='RotationWeekEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('starts_on', models.DateField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('engineer', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.rotationweek')),
                ('planned_engineer', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SwapRequestEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('state', models.CharField(choices=[('pending', 'Open'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('cancelled', 'Withdrawn'), ('expired', 'Expired'), ('void', 'Superseded')], default='pending', max_length=10)),
                ('declined_by', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, help_text='Engineers who declined a request to anyone.', size=None)),
                ('reason', models.CharField(blank=True, help_text='Why it was declined or superseded.', max_length=500)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('reminded_at', models.DateTimeField(blank=True, editable=False, help_text='Last reminder to those who have not answered.', null=True)),
                ('offered_week', models.DateField()),
                ('wanted_week', models.DateField(blank=True, null=True)),
                ('third_week', models.DateField(blank=True, null=True)),
                ('message', models.CharField(blank=True, max_length=500)),
                ('acknowledged', models.BooleanField(default=False, help_text='The requester confirmed the swap although they are away in the week they take.')),
                ('accepted_by', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, help_text='Recipients of a three-way swap who have accepted.', size=None)),
                ('counterpart', models.ForeignKey(blank=True, db_constraint=False, help_text='Recipient. Leave empty to ask anyone.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.swaprequest')),
                ('requested_by', models.ForeignKey(db_constraint=False, help_text='The requester, or an admin on their behalf.', on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('requester', models.ForeignKey(db_constraint=False, help_text='Engineer whose time it is about.', on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
                ('third', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Cover',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('series', models.BigIntegerField(blank=True, editable=False, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('covered_engineer', models.ForeignKey(help_text='Engineer who would be on call otherwise.', on_delete=django.db.models.deletion.PROTECT, related_name='covered_by', to=settings.AUTH_USER_MODEL)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('engineer', models.ForeignKey(help_text='Engineer who is on call instead.', on_delete=django.db.models.deletion.PROTECT, related_name='covers', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='covers', to='scheduling.coverrequest')),
                ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='covers', to='scheduling.rotation')),
            ],
            options={
                'ordering': ['starts_at', 'pk'],
                'indexes': [models.Index(fields=['rotation', 'ends_at'], name='cover_window')],
                'constraints': [models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='cover_has_a_length'), models.CheckConstraint(condition=models.Q(('engineer', models.F('covered_engineer')), _negated=True), name='cover_people_differ'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func(models.F('rotation_id'), models.F('rotation_id'), models.Value('[]'), function='int8range', output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField()), '&&'), (models.Func(models.F('starts_at'), models.F('ends_at'), django.contrib.postgres.fields.ranges.RangeBoundary(), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='covers_never_overlap', violation_error_message='Covers of a rotation cannot overlap.')],
            },
        ),
        migrations.CreateModel(
            name='HolidayBlockEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('starts_on', models.DateField(verbose_name='first day')),
                ('ends_on', models.DateField(verbose_name='last day')),
                ('starts_at_time', models.TimeField(blank=True, help_text='On the first day. Leave empty for all day.', null=True, verbose_name='from')),
                ('ends_at_time', models.TimeField(blank=True, help_text='On the last day. Leave empty for all day.', null=True, verbose_name='until')),
                ('kind', models.CharField(choices=[('holiday', 'Holiday'), ('sick', 'Sick'), ('training', 'Training'), ('other', 'Other')], default='holiday', max_length=10)),
                ('time_zone', models.CharField(editable=False, help_text='Time zone in which the dates were entered.', max_length=64)),
                ('starts_at', models.DateTimeField(editable=False)),
                ('ends_at', models.DateTimeField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('link_uid', models.CharField(blank=True, editable=False, max_length=200)),
                ('engineer', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('link', models.ForeignKey(blank=True, db_constraint=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.calendarlink')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.holidayblock')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RosterMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('engineer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='roster_memberships', to=settings.AUTH_USER_MODEL)),
                ('roster', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='scheduling.roster')),
            ],
            options={
                'ordering': ['roster', 'position'],
                'constraints': [models.UniqueConstraint(fields=('roster', 'position'), name='roster_positions_differ'), models.UniqueConstraint(fields=('roster', 'engineer'), name='roster_engineers_differ')],
            },
        ),
        migrations.CreateModel(
            name='RosterEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('starts_on', models.DateField(help_text="Start date of the first engineer's week.")),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.roster')),
                ('rotation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PipelineRotationEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.pipelinerotation')),
                ('pipeline', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='pipelines.pipeline')),
                ('rotation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='CoverRequestEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('state', models.CharField(choices=[('pending', 'Open'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('cancelled', 'Withdrawn'), ('expired', 'Expired'), ('void', 'Superseded')], default='pending', max_length=10)),
                ('declined_by', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, help_text='Engineers who declined a request to anyone.', size=None)),
                ('reason', models.CharField(blank=True, help_text='Why it was declined or superseded.', max_length=500)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('reminded_at', models.DateTimeField(blank=True, editable=False, help_text='Last reminder to those who have not answered.', null=True)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('message', models.CharField(blank=True, help_text='Becomes the reason of the cover.', max_length=200)),
                ('counterpart', models.ForeignKey(blank=True, db_constraint=False, help_text='Recipient. Leave empty to ask anyone.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.coverrequest')),
                ('requested_by', models.ForeignKey(db_constraint=False, help_text='The requester, or an admin on their behalf.', on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('requester', models.ForeignKey(db_constraint=False, help_text='Engineer whose time it is about.', on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RosterMemberEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('position', models.PositiveSmallIntegerField()),
                ('engineer', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.rostermember')),
                ('roster', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.roster')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='CoverEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('series', models.BigIntegerField(blank=True, editable=False, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('covered_engineer', models.ForeignKey(db_constraint=False, help_text='Engineer who would be on call otherwise.', on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('engineer', models.ForeignKey(db_constraint=False, help_text='Engineer who is on call instead.', on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='scheduling.cover')),
                ('request', models.ForeignKey(blank=True, db_constraint=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.coverrequest')),
                ('rotation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='scheduling.rotation')),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotation',
            trigger=pgtrigger.compiler.Trigger(name='change_on_call_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_oncallversion_id_seq');\n    UPDATE people_oncallversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_oncallversion\n             WHERE id IN (SELECT id FROM people_oncallversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_oncallversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='6afbff3903cad2a64c54e509084e5684f7a6bef5', level='STATEMENT', operation='UPDATE OR INSERT OR DELETE OR TRUNCATE', pgid='pgtrigger_change_on_call_version_9ae2e', table='scheduling_rotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotation',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_rotationevent" ("archived_at", "description", "drill_changed_at", "drill_time", "drill_weekday", "handoff_time", "handoff_weekday", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_introduction", "policy_name", "policy_rules", "slug", "time_zone", "weekly_drill") VALUES (NEW."archived_at", NEW."description", NEW."drill_changed_at", NEW."drill_time", NEW."drill_weekday", NEW."handoff_time", NEW."handoff_weekday", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."policy_introduction", NEW."policy_name", NEW."policy_rules", NEW."slug", NEW."time_zone", NEW."weekly_drill"); RETURN NULL;', hash='13cd1f527606c066d79c3da55bd16e464f1dfbc4', operation='INSERT', pgid='pgtrigger_insert_insert_199d3', table='scheduling_rotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotation',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "scheduling_rotationevent" ("archived_at", "description", "drill_changed_at", "drill_time", "drill_weekday", "handoff_time", "handoff_weekday", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_introduction", "policy_name", "policy_rules", "slug", "time_zone", "weekly_drill") VALUES (NEW."archived_at", NEW."description", NEW."drill_changed_at", NEW."drill_time", NEW."drill_weekday", NEW."handoff_time", NEW."handoff_weekday", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."policy_introduction", NEW."policy_name", NEW."policy_rules", NEW."slug", NEW."time_zone", NEW."weekly_drill"); RETURN NULL;', hash='7deac434c30fccedeb302e3a75e91c994add7c9a', operation='UPDATE', pgid='pgtrigger_update_update_ba172', table='scheduling_rotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotation',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_rotationevent" ("archived_at", "description", "drill_changed_at", "drill_time", "drill_weekday", "handoff_time", "handoff_weekday", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "policy_introduction", "policy_name", "policy_rules", "slug", "time_zone", "weekly_drill") VALUES (OLD."archived_at", OLD."description", OLD."drill_changed_at", OLD."drill_time", OLD."drill_weekday", OLD."handoff_time", OLD."handoff_weekday", OLD."id", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."policy_introduction", OLD."policy_name", OLD."policy_rules", OLD."slug", OLD."time_zone", OLD."weekly_drill"); RETURN NULL;', hash='e8bb7cf7ceb7f8ff3ddb87587d5aea72f70c95fa', operation='DELETE', pgid='pgtrigger_delete_delete_3bdb4', table='scheduling_rotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='calendarlink',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_calendarlinkevent" ("created_at", "engineer_id", "host", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "problem", "state") VALUES (NEW."created_at", NEW."engineer_id", NEW."host", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."problem", NEW."state"); RETURN NULL;', hash='ef7522b9d3e82a6b93fbfa60686d744b3a3a9ff9', operation='INSERT', pgid='pgtrigger_insert_insert_b3b1a', table='scheduling_calendarlink', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='calendarlink',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."host" IS DISTINCT FROM (NEW."host") OR OLD."problem" IS DISTINCT FROM (NEW."problem") OR OLD."state" IS DISTINCT FROM (NEW."state"))', func='INSERT INTO "scheduling_calendarlinkevent" ("created_at", "engineer_id", "host", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "problem", "state") VALUES (NEW."created_at", NEW."engineer_id", NEW."host", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."problem", NEW."state"); RETURN NULL;', hash='db020c4ec763333147861d8569463b70fff18d09', operation='UPDATE', pgid='pgtrigger_update_update_f08c1', table='scheduling_calendarlink', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='calendarlink',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_calendarlinkevent" ("created_at", "engineer_id", "host", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "problem", "state") VALUES (OLD."created_at", OLD."engineer_id", OLD."host", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."problem", OLD."state"); RETURN NULL;', hash='74c1568abfc77949c9faedf6f5b7c525db0c655b', operation='DELETE', pgid='pgtrigger_delete_delete_78441', table='scheduling_calendarlink', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coveragegap',
            trigger=pgtrigger.compiler.Trigger(name='rows_change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='b1bff71d57668f02f15ce695beee3436ddac148c', operation='INSERT OR DELETE', pgid='pgtrigger_rows_change_page_version_1b294', table='scheduling_coveragegap', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coveragegap',
            trigger=pgtrigger.compiler.Trigger(name='change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='428fcf38730f439d692b9b3427cc206a923fccfd', operation='UPDATE', pgid='pgtrigger_change_page_version_80075', table='scheduling_coveragegap', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coveragegap',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_coveragegapevent" ("ends_at", "found_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "starts_at") VALUES (NEW."ends_at", NEW."found_at", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."starts_at"); RETURN NULL;', hash='35c5488c2b447f72e9f9d666df0afd87d82b42fa', operation='INSERT', pgid='pgtrigger_insert_insert_00771', table='scheduling_coveragegap', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coveragegap',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "scheduling_coveragegapevent" ("ends_at", "found_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "starts_at") VALUES (NEW."ends_at", NEW."found_at", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."starts_at"); RETURN NULL;', hash='f86ce38cf0aeb2d5242d15275ce2446fa4f326b8', operation='UPDATE', pgid='pgtrigger_update_update_60ce4', table='scheduling_coveragegap', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coveragegap',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_coveragegapevent" ("ends_at", "found_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "starts_at") VALUES (OLD."ends_at", OLD."found_at", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."starts_at"); RETURN NULL;', hash='653fd15e2776fb2a418131ad3e2d23cab1a249f6', operation='DELETE', pgid='pgtrigger_delete_delete_cac3b', table='scheduling_coveragegap', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='holidayblock',
            trigger=pgtrigger.compiler.Trigger(name='change_on_call_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_oncallversion_id_seq');\n    UPDATE people_oncallversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_oncallversion\n             WHERE id IN (SELECT id FROM people_oncallversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_oncallversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='15041fabbe4142976aa45f21ce1c447915ff98d4', level='STATEMENT', operation='UPDATE OR INSERT OR DELETE OR TRUNCATE', pgid='pgtrigger_change_on_call_version_6c0d3', table='scheduling_holidayblock', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='holidayblock',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_holidayblockevent" ("created_at", "ends_at", "ends_at_time", "ends_on", "engineer_id", "id", "kind", "link_id", "link_uid", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_at", "starts_at_time", "starts_on", "time_zone") VALUES (NEW."created_at", NEW."ends_at", NEW."ends_at_time", NEW."ends_on", NEW."engineer_id", NEW."id", NEW."kind", NEW."link_id", NEW."link_uid", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."starts_at", NEW."starts_at_time", NEW."starts_on", NEW."time_zone"); RETURN NULL;', hash='1554cea683db70e42556539d21a12e479d2d8185', operation='INSERT', pgid='pgtrigger_insert_insert_8b968', table='scheduling_holidayblock', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='holidayblock',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."ends_at" IS DISTINCT FROM (NEW."ends_at") OR OLD."ends_at_time" IS DISTINCT FROM (NEW."ends_at_time") OR OLD."ends_on" IS DISTINCT FROM (NEW."ends_on") OR OLD."engineer_id" IS DISTINCT FROM (NEW."engineer_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."link_id" IS DISTINCT FROM (NEW."link_id") OR OLD."link_uid" IS DISTINCT FROM (NEW."link_uid") OR OLD."starts_at" IS DISTINCT FROM (NEW."starts_at") OR OLD."starts_at_time" IS DISTINCT FROM (NEW."starts_at_time") OR OLD."starts_on" IS DISTINCT FROM (NEW."starts_on") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone"))', func='INSERT INTO "scheduling_holidayblockevent" ("created_at", "ends_at", "ends_at_time", "ends_on", "engineer_id", "id", "kind", "link_id", "link_uid", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_at", "starts_at_time", "starts_on", "time_zone") VALUES (NEW."created_at", NEW."ends_at", NEW."ends_at_time", NEW."ends_on", NEW."engineer_id", NEW."id", NEW."kind", NEW."link_id", NEW."link_uid", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."starts_at", NEW."starts_at_time", NEW."starts_on", NEW."time_zone"); RETURN NULL;', hash='db25a871e046c3adb05526b58eea47a11876819e', operation='UPDATE', pgid='pgtrigger_update_update_748fc', table='scheduling_holidayblock', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='holidayblock',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_holidayblockevent" ("created_at", "ends_at", "ends_at_time", "ends_on", "engineer_id", "id", "kind", "link_id", "link_uid", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_at", "starts_at_time", "starts_on", "time_zone") VALUES (OLD."created_at", OLD."ends_at", OLD."ends_at_time", OLD."ends_on", OLD."engineer_id", OLD."id", OLD."kind", OLD."link_id", OLD."link_uid", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."starts_at", OLD."starts_at_time", OLD."starts_on", OLD."time_zone"); RETURN NULL;', hash='f7aba11202682f856f4229a52c0f511d968491b8', operation='DELETE', pgid='pgtrigger_delete_delete_888d1', table='scheduling_holidayblock', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rostermember',
            trigger=pgtrigger.compiler.Trigger(name='change_on_call_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_oncallversion_id_seq');\n    UPDATE people_oncallversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_oncallversion\n             WHERE id IN (SELECT id FROM people_oncallversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_oncallversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='a0729879421106e5663abd426712ba9abbfda79d', level='STATEMENT', operation='UPDATE OR INSERT OR DELETE OR TRUNCATE', pgid='pgtrigger_change_on_call_version_6b2c8', table='scheduling_rostermember', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rostermember',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_rostermemberevent" ("engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "roster_id") VALUES (NEW."engineer_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."position", NEW."roster_id"); RETURN NULL;', hash='f77db0ac2f476e763436ca1aad27c9743697f2e9', operation='INSERT', pgid='pgtrigger_insert_insert_e5441', table='scheduling_rostermember', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rostermember',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "scheduling_rostermemberevent" ("engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "roster_id") VALUES (NEW."engineer_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."position", NEW."roster_id"); RETURN NULL;', hash='06852a5ff41eca23a6f6ff99acda3827656f8be4', operation='UPDATE', pgid='pgtrigger_update_update_78f6b', table='scheduling_rostermember', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rostermember',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_rostermemberevent" ("engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "roster_id") VALUES (OLD."engineer_id", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."position", OLD."roster_id"); RETURN NULL;', hash='5e8df41bec93844dc23b33be9db9d079c5039911', operation='DELETE', pgid='pgtrigger_delete_delete_79e59', table='scheduling_rostermember', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='roster',
            trigger=pgtrigger.compiler.Trigger(name='change_on_call_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_oncallversion_id_seq');\n    UPDATE people_oncallversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_oncallversion\n             WHERE id IN (SELECT id FROM people_oncallversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_oncallversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='3aaf8a60b6ca694f8ed0a1413f575d27511ddc70', level='STATEMENT', operation='UPDATE OR INSERT OR DELETE OR TRUNCATE', pgid='pgtrigger_change_on_call_version_b8f1a', table='scheduling_roster', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='roster',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_rosterevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rotation_id", "starts_on") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."rotation_id", NEW."starts_on"); RETURN NULL;', hash='ebd4271f826784a4a260c6faabf1a2ae4cd49dd6', operation='INSERT', pgid='pgtrigger_insert_insert_3c79a', table='scheduling_roster', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='roster',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "scheduling_rosterevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rotation_id", "starts_on") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."rotation_id", NEW."starts_on"); RETURN NULL;', hash='0f917ead28f6c5d9e104c02f969723451b061939', operation='UPDATE', pgid='pgtrigger_update_update_1704d', table='scheduling_roster', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='roster',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_rosterevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rotation_id", "starts_on") VALUES (OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."rotation_id", OLD."starts_on"); RETURN NULL;', hash='072346bfa72c99f83e2ed7e3d0516eb978a2d95e', operation='DELETE', pgid='pgtrigger_delete_delete_6384c', table='scheduling_roster', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pipelinerotation',
            trigger=pgtrigger.compiler.Trigger(name='change_on_call_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_oncallversion_id_seq');\n    UPDATE people_oncallversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_oncallversion\n             WHERE id IN (SELECT id FROM people_oncallversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_oncallversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='d18ed9b7c2da0444fe3f2a4374a7fe76cbfbe7b0', level='STATEMENT', operation='UPDATE OR INSERT OR DELETE OR TRUNCATE', pgid='pgtrigger_change_on_call_version_30cda', table='scheduling_pipelinerotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pipelinerotation',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_pipelinerotationevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."pipeline_id", NEW."rotation_id"); RETURN NULL;', hash='dd103805cafab31a8aab81f27831cffacf872977', operation='INSERT', pgid='pgtrigger_insert_insert_19171', table='scheduling_pipelinerotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pipelinerotation',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "scheduling_pipelinerotationevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."pipeline_id", NEW."rotation_id"); RETURN NULL;', hash='4671fed4bfa6942745522ff7c668e5fd1a2b07c0', operation='UPDATE', pgid='pgtrigger_update_update_3f038', table='scheduling_pipelinerotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pipelinerotation',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_pipelinerotationevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_id", "rotation_id") VALUES (OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."pipeline_id", OLD."rotation_id"); RETURN NULL;', hash='2eecb5688817c2964a6a57f9144b9f8b89d4c15f', operation='DELETE', pgid='pgtrigger_delete_delete_59a4f', table='scheduling_pipelinerotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coverrequest',
            trigger=pgtrigger.compiler.Trigger(name='rows_change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='5ed3905febb35b8cd47e6f6da7d16b4950555798', operation='INSERT OR DELETE', pgid='pgtrigger_rows_change_page_version_37166', table='scheduling_coverrequest', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coverrequest',
            trigger=pgtrigger.compiler.Trigger(name='change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='a183a279a7ddf7b2e55414ebefe21b2365fa0b6c', operation='UPDATE', pgid='pgtrigger_change_page_version_894cb', table='scheduling_coverrequest', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coverrequest',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_coverrequestevent" ("counterpart_id", "created_at", "decided_at", "decided_by_id", "declined_by", "ends_at", "expires_at", "id", "message", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "reminded_at", "requested_by_id", "requester_id", "rotation_id", "starts_at", "state") VALUES (NEW."counterpart_id", NEW."created_at", NEW."decided_at", NEW."decided_by_id", NEW."declined_by", NEW."ends_at", NEW."expires_at", NEW."id", NEW."message", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reason", NEW."reminded_at", NEW."requested_by_id", NEW."requester_id", NEW."rotation_id", NEW."starts_at", NEW."state"); RETURN NULL;', hash='a8fb9a537ea74f6184618ca6667197c2864b0c2f', operation='INSERT', pgid='pgtrigger_insert_insert_1b411', table='scheduling_coverrequest', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coverrequest',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "scheduling_coverrequestevent" ("counterpart_id", "created_at", "decided_at", "decided_by_id", "declined_by", "ends_at", "expires_at", "id", "message", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "reminded_at", "requested_by_id", "requester_id", "rotation_id", "starts_at", "state") VALUES (NEW."counterpart_id", NEW."created_at", NEW."decided_at", NEW."decided_by_id", NEW."declined_by", NEW."ends_at", NEW."expires_at", NEW."id", NEW."message", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reason", NEW."reminded_at", NEW."requested_by_id", NEW."requester_id", NEW."rotation_id", NEW."starts_at", NEW."state"); RETURN NULL;', hash='98783c66394768be39b2f7e5f8463e9a35472d9c', operation='UPDATE', pgid='pgtrigger_update_update_bb850', table='scheduling_coverrequest', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coverrequest',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_coverrequestevent" ("counterpart_id", "created_at", "decided_at", "decided_by_id", "declined_by", "ends_at", "expires_at", "id", "message", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "reminded_at", "requested_by_id", "requester_id", "rotation_id", "starts_at", "state") VALUES (OLD."counterpart_id", OLD."created_at", OLD."decided_at", OLD."decided_by_id", OLD."declined_by", OLD."ends_at", OLD."expires_at", OLD."id", OLD."message", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."reason", OLD."reminded_at", OLD."requested_by_id", OLD."requester_id", OLD."rotation_id", OLD."starts_at", OLD."state"); RETURN NULL;', hash='443f93771e561da97ba635c83810f1298dbccde8', operation='DELETE', pgid='pgtrigger_delete_delete_25964', table='scheduling_coverrequest', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='cover',
            trigger=pgtrigger.compiler.Trigger(name='change_on_call_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_oncallversion_id_seq');\n    UPDATE people_oncallversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_oncallversion\n             WHERE id IN (SELECT id FROM people_oncallversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_oncallversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='83f2e4404bddba66ae07f5abeccfae759c0841c0', level='STATEMENT', operation='UPDATE OR INSERT OR DELETE OR TRUNCATE', pgid='pgtrigger_change_on_call_version_e8e08', table='scheduling_cover', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='cover',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_coverevent" ("covered_engineer_id", "created_at", "created_by_id", "ends_at", "engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "request_id", "rotation_id", "series", "starts_at") VALUES (NEW."covered_engineer_id", NEW."created_at", NEW."created_by_id", NEW."ends_at", NEW."engineer_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reason", NEW."request_id", NEW."rotation_id", NEW."series", NEW."starts_at"); RETURN NULL;', hash='b3ca963ab6079e0c08fb416aa3702d1ac2f5333a', operation='INSERT', pgid='pgtrigger_insert_insert_06063', table='scheduling_cover', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='cover',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "scheduling_coverevent" ("covered_engineer_id", "created_at", "created_by_id", "ends_at", "engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "request_id", "rotation_id", "series", "starts_at") VALUES (NEW."covered_engineer_id", NEW."created_at", NEW."created_by_id", NEW."ends_at", NEW."engineer_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reason", NEW."request_id", NEW."rotation_id", NEW."series", NEW."starts_at"); RETURN NULL;', hash='f59837645536dc0e4fc58dfeb630ec1563061c00', operation='UPDATE', pgid='pgtrigger_update_update_ea228', table='scheduling_cover', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='cover',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_coverevent" ("covered_engineer_id", "created_at", "created_by_id", "ends_at", "engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "request_id", "rotation_id", "series", "starts_at") VALUES (OLD."covered_engineer_id", OLD."created_at", OLD."created_by_id", OLD."ends_at", OLD."engineer_id", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."reason", OLD."request_id", OLD."rotation_id", OLD."series", OLD."starts_at"); RETURN NULL;', hash='6b165c4bea51137b01c3af5fefeb8b3d1298c1e3', operation='DELETE', pgid='pgtrigger_delete_delete_46bb1', table='scheduling_cover', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotationweek',
            trigger=pgtrigger.compiler.Trigger(name='change_on_call_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_oncallversion_id_seq');\n    UPDATE people_oncallversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_oncallversion\n             WHERE id IN (SELECT id FROM people_oncallversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_oncallversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='ac1c3a4139652a550e2839ea08220b31327c948e', level='STATEMENT', operation='UPDATE OR INSERT OR DELETE OR TRUNCATE', pgid='pgtrigger_change_on_call_version_fce26', table='scheduling_rotationweek', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotationweek',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_rotationweekevent" ("ends_at", "engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "planned_engineer_id", "rotation_id", "starts_at", "starts_on") VALUES (NEW."ends_at", NEW."engineer_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."planned_engineer_id", NEW."rotation_id", NEW."starts_at", NEW."starts_on"); RETURN NULL;', hash='7d1f2b6ee9d6f11f4254d58e40e37105fbc527fd', operation='INSERT', pgid='pgtrigger_insert_insert_d2eaf', table='scheduling_rotationweek', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotationweek',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "scheduling_rotationweekevent" ("ends_at", "engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "planned_engineer_id", "rotation_id", "starts_at", "starts_on") VALUES (NEW."ends_at", NEW."engineer_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."planned_engineer_id", NEW."rotation_id", NEW."starts_at", NEW."starts_on"); RETURN NULL;', hash='ef76a2a89f5e4d6dbcdd56c590e2dbd79f3f6a98', operation='UPDATE', pgid='pgtrigger_update_update_fff06', table='scheduling_rotationweek', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rotationweek',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_rotationweekevent" ("ends_at", "engineer_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "planned_engineer_id", "rotation_id", "starts_at", "starts_on") VALUES (OLD."ends_at", OLD."engineer_id", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."planned_engineer_id", OLD."rotation_id", OLD."starts_at", OLD."starts_on"); RETURN NULL;', hash='e4304427ac20568531929a7ddcd085cb241b83e2', operation='DELETE', pgid='pgtrigger_delete_delete_8fbee', table='scheduling_rotationweek', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='swaprequest',
            trigger=pgtrigger.compiler.Trigger(name='rows_change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='32f03c144a18762b4c4de746fd0eb9681ab2afcf', operation='INSERT OR DELETE', pgid='pgtrigger_rows_change_page_version_7b4db', table='scheduling_swaprequest', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='swaprequest',
            trigger=pgtrigger.compiler.Trigger(name='change_page_version', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', declare='DECLARE stamp BIGINT;', func="\n    stamp := NEXTVAL('people_pageversion_id_seq');\n    UPDATE people_pageversion SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;\n    IF NOT FOUND THEN\n        WITH earlier AS (\n            DELETE FROM people_pageversion\n             WHERE id IN (SELECT id FROM people_pageversion FOR UPDATE SKIP LOCKED)\n            RETURNING total\n        )\n        INSERT INTO people_pageversion (id, transaction, total)\n        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;\n    END IF;\n    RETURN NULL;\n", hash='8e187308125d0ad394db8223bb45c6c7b7b181f6', operation='UPDATE', pgid='pgtrigger_change_page_version_ce437', table='scheduling_swaprequest', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='swaprequest',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_swaprequestevent" ("accepted_by", "acknowledged", "counterpart_id", "created_at", "decided_at", "decided_by_id", "declined_by", "expires_at", "id", "message", "offered_week", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "reminded_at", "requested_by_id", "requester_id", "rotation_id", "state", "third_id", "third_week", "wanted_week") VALUES (NEW."accepted_by", NEW."acknowledged", NEW."counterpart_id", NEW."created_at", NEW."decided_at", NEW."decided_by_id", NEW."declined_by", NEW."expires_at", NEW."id", NEW."message", NEW."offered_week", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reason", NEW."reminded_at", NEW."requested_by_id", NEW."requester_id", NEW."rotation_id", NEW."state", NEW."third_id", NEW."third_week", NEW."wanted_week"); RETURN NULL;', hash='fc814132a7473848cb7a61821c826e5c54aad88b', operation='INSERT', pgid='pgtrigger_insert_insert_61113', table='scheduling_swaprequest', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='swaprequest',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "scheduling_swaprequestevent" ("accepted_by", "acknowledged", "counterpart_id", "created_at", "decided_at", "decided_by_id", "declined_by", "expires_at", "id", "message", "offered_week", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "reminded_at", "requested_by_id", "requester_id", "rotation_id", "state", "third_id", "third_week", "wanted_week") VALUES (NEW."accepted_by", NEW."acknowledged", NEW."counterpart_id", NEW."created_at", NEW."decided_at", NEW."decided_by_id", NEW."declined_by", NEW."expires_at", NEW."id", NEW."message", NEW."offered_week", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reason", NEW."reminded_at", NEW."requested_by_id", NEW."requester_id", NEW."rotation_id", NEW."state", NEW."third_id", NEW."third_week", NEW."wanted_week"); RETURN NULL;', hash='f3cd015674fc7b7df9ca2507d47f637c0a7f65ee', operation='UPDATE', pgid='pgtrigger_update_update_764af', table='scheduling_swaprequest', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='swaprequest',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "scheduling_swaprequestevent" ("accepted_by", "acknowledged", "counterpart_id", "created_at", "decided_at", "decided_by_id", "declined_by", "expires_at", "id", "message", "offered_week", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "reminded_at", "requested_by_id", "requester_id", "rotation_id", "state", "third_id", "third_week", "wanted_week") VALUES (OLD."accepted_by", OLD."acknowledged", OLD."counterpart_id", OLD."created_at", OLD."decided_at", OLD."decided_by_id", OLD."declined_by", OLD."expires_at", OLD."id", OLD."message", OLD."offered_week", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."reason", OLD."reminded_at", OLD."requested_by_id", OLD."requester_id", OLD."rotation_id", OLD."state", OLD."third_id", OLD."third_week", OLD."wanted_week"); RETURN NULL;', hash='4a6afe71188b10a4bb671199058c2f1abeee5885', operation='DELETE', pgid='pgtrigger_delete_delete_ee53a', table='scheduling_swaprequest', when='AFTER')),
        ),
    ]
