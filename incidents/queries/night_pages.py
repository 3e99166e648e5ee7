"""How often each engineer was notified of an incident at night."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import connection

from scheduling.models import Rotation

FIRST_NIGHT_HOUR, FIRST_DAY_HOUR = 22, 7

# An hour counts in the engineer's time zone.
NIGHT_PAGES_SQL = """
SELECT p.rotation_id, s.engineer_id, count(*)
FROM incidents_escalationstep s
JOIN incidents_incident i ON i.id = s.incident_id
JOIN scheduling_pipelinerotation p ON p.pipeline_id = i.pipeline_id
JOIN people_user u ON u.id = s.engineer_id
WHERE p.rotation_id = ANY(%(rotations)s) AND s.at >= %(since)s
  AND (extract(hour FROM s.at AT TIME ZONE u.time_zone) >= %(night)s OR extract(hour FROM s.at AT TIME ZONE u.time_zone) < %(day)s)
GROUP BY 1, 2
"""


def night_pages(rotations: Iterable[Rotation], *, since: dt.datetime) -> dict[tuple[int, int], int]:
    """Return the notifications between 22:00 and 07:00 of incidents of a rotation's pipelines, by rotation and engineer ID."""
    values: dict[str, Any] = {
        "rotations": [rotation.pk for rotation in rotations],
        "since": since,
        "night": FIRST_NIGHT_HOUR,
        "day": FIRST_DAY_HOUR,
    }
    with connection.cursor() as cursor:
        cursor.execute(NIGHT_PAGES_SQL, values)
        return {(rotation, engineer): count for rotation, engineer, count in cursor.fetchall()}
