from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pipelines', '0001_initial'),
        ('validation', '0001_initial'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='check',
            name='check_has_a_type',
        ),
        migrations.RemoveConstraint(
            model_name='check',
            name='check_on_has_a_metric',
        ),
        migrations.AddConstraint(
            model_name='check',
            constraint=models.CheckConstraint(condition=models.Q(('check_type__in', ['anomaly', 'change_over_time', 'completeness', 'custom_sql', 'freshness', 'range', 'ratio', 'reconciliation', 'relationships', 'run_deadline', 'schema', 'target', 'validity', 'volume'])), name='check_has_a_type'),
        ),
        migrations.AddConstraint(
            model_name='check',
            constraint=models.CheckConstraint(condition=models.Q(('is_active', False), ('check_type__in', ['custom_sql', 'relationships', 'run_deadline', 'schema']), ('metric__isnull', False), _connector='OR'), name='check_on_has_a_metric', violation_error_message='Choose a metric before you enable the check.'),
        ),
    ]
