from django.db import migrations

# An acknowledgement once marked every segment's point of its bucket; those that no acknowledged result is about are judged again.
# What an acknowledgement of a check that is gone marked stays: nothing says any more which segment it was.
NOT_THEIRS = """
UPDATE validation_metricpoint AS point SET is_expected = false
FROM (
  SELECT checked.metric_id, result.bucket,
         array_agg(coalesce(part.segment, '')) FILTER (WHERE part.segment IS NULL OR part.status IN ('fail', 'warn')) AS segments
    FROM validation_checkresult result
    JOIN validation_check checked ON checked.id = result.of_id
    LEFT JOIN LATERAL jsonb_to_recordset(result.segments) AS part (segment text, status text) ON true
   WHERE result.acknowledged_at IS NOT NULL AND result.bucket IS NOT NULL
   GROUP BY checked.metric_id, result.bucket
) AS said
WHERE point.is_expected AND point.metric_id = said.metric_id AND point.bucket = said.bucket
  AND NOT point.segment = ANY(said.segments)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('validation', '0002_metrics_and_checks'),
    ]

    operations = [
        migrations.RunSQL(NOT_THEIRS, migrations.RunSQL.noop),
    ]
