"""Which tests are slow. `make test-fast` neither runs nor imports them."""

from pathlib import Path

FOLDER = Path(__file__).parent
# Folders, files, and beginnings of their names. Their tests drive a browser, start or kill processes, call every route, try random cases,
# build the demo, or take more than 0.1 s of processor time each.
PATHS = (
    "calendar_feeds/test_feeds.py",
    "common/test_text_limits.py",
    "e2e/",
    "examples/",
    "faults/",
    "handbook/test_import_people.py",
    "handbook/test_import_rotations.py",
    "handbook/test_page.py",
    "handbook/test_round_trip.py",
    "handoffs/test_a_year.py",
    "handoffs/test_api.py",
    "handoffs/test_live_sheets.py",
    "handoffs/test_pages.py",
    "handoffs/test_two_people.py",
    "incidents/test_alert_batches.py",
    "incidents/test_blame.py",
    "incidents/test_evidence.py",
    "incidents/test_incident_pages.py",
    "incidents/test_incidents_api.py",
    "incidents/test_similar.py",
    "incidents/test_slack.py",
    "lineage/test_dbt_build.py",
    "lineage/test_layout.py",
    "lineage/test_openlineage.py",
    "lineage/test_pages.py",
    "notifications/channels/test_mail_html.py",
    "notifications/test_rate_limit.py",
    "notifications/test_rules.py",
    "notifications/test_servers.py",
    "oncall_site/test_admin_words.py",
    "oncall_site/test_api_frame.py",
    "oncall_site/test_compose.py",
    "oncall_site/test_csv.py",
    "oncall_site/test_demo",
    "oncall_site/test_local_postgres.py",
    "oncall_site/test_migrations.py",
    "oncall_site/test_now.py",
    "oncall_site/test_page_names.py",
    "oncall_site/test_query_counts.py",
    "oncall_site/test_response_cache.py",
    "oncall_site/test_search.py",
    "oncall_site/test_shift_mails.py",
    "oncall_site/test_supervisor.py",
    "oncall_site/test_system.py",
    "people/test_second_factor.py",
    "people/test_sign_in.py",
    "readiness/test_known_at.py",
    "readiness/test_readers.py",
    "readiness/test_restatement",
    "scheduling/domain/test_planning.py",
    "scheduling/test_answer_undo.py",
    "scheduling/test_answers_in_rows.py",
    "scheduling/test_conflicts_shown.py",
    "scheduling/test_filters.py",
    "scheduling/test_on_call_mails.py",
    "scheduling/test_past_owners.py",
    "scheduling/test_random_histories.py",
    "scheduling/test_rotation_pages.py",
    "scheduling/test_schedule_undo.py",
    "scheduling/test_swap_pages.py",
    "scheduling/test_timeline.py",
    "scheduling/test_timeline_memory.py",
    "security/",
    "team_channels/test_shift_posts.py",
    "validation/domain/test_anomaly",
    "validation/test_api.py",
    "validation/test_business_dates.py",
    "validation/test_check_form.py",
    "validation/test_check_pages.py",
    "validation/test_deleted_checks.py",
    "validation/test_detector_states.py",
    "validation/test_plans.py",
    "validation/test_stale.py",
)


def is_left_out(path: Path, marks: str) -> bool:
    """Return True if a run with this expression of marks (`-m`) need not import a file, which takes a second for all of them."""
    return "not slow" in marks and is_slow(path)


def is_slow(path: Path) -> bool:
    """Return True if the tests of a file, or of all files in a folder, are slow."""
    return path.is_relative_to(FOLDER) and f"{path.relative_to(FOLDER)}/".startswith(PATHS)
