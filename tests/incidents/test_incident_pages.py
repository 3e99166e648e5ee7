"""The pages and the admin of incidents, without JavaScript and with htmx."""

import re
from importlib import import_module

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.models import Alert, Incident, RunStep
from incidents.services.escalation import escalate
from incidents.services.runbook_runs import mark_step, start_run
from incidents.services.transitions import acknowledge, add_note, resolve
from incidents.services.triggers import IncidentTrigger, trigger_incident
from runbooks.models import Runbook
from runbooks.services import save_revision
from tests.factories import bearer
from tests.incidents.test_incidents import MINUTE, make_incident
from tests.validation.fixtures import make_check, make_metric
from validation.services.checks import delete_check

SLUG = "daily-growth-experiment-focused"


@pytest.fixture
def browser(signed_in, pipeline, a):
    return signed_in(a)


@pytest.fixture
def incident(pipeline):
    return make_incident(pipeline, at=timezone.now() - MINUTE, title="Logs are late", text="Since <six>.")


def text_of(answer):
    return answer.content.decode()


def test_an_incident_is_declared_from_the_page_of_a_pipeline(browser, pipeline, a):
    assert f"/incidents/open/?pipeline={SLUG}" in text_of(browser.get(f"/pipelines/{SLUG}/"))
    form = text_of(browser.get(f"/incidents/open/?pipeline={SLUG}"))
    assert f'value="{SLUG}" selected' in form
    answer = browser.post("/incidents/open/", {"pipeline": SLUG, "kind": "outage", "title": "Nothing arrives"})
    made = Incident.objects.get()
    assert answer.headers["Location"] == f"/incidents/{made.pk}/"
    assert (made.kind, made.source, made.opened_by) == ("outage", "person", a)
    assert made.timeline.first().text == ""
    assert "<strong>Opened</strong> by Engineer A" in text_of(browser.get(f"/incidents/{made.pk}/"))
    answer = browser.post("/incidents/open/", {"pipeline": SLUG, "kind": "outage", "title": ""})
    assert answer.status_code == 400


@pytest.mark.parametrize("given", ["%00", "nothing", "x" * 3000])
def test_an_unknown_pipeline_in_the_url_is_ignored(browser, given):
    assert browser.get(f"/incidents/open/?pipeline={given}").status_code == 200
    assert browser.get(f"/incidents/?pipeline={given}&state={given}&page={given}").status_code == 200


def test_open_incidents_are_on_now_and_on_the_page_of_the_pipeline(browser, incident, a):
    for path in ("/", f"/pipelines/{SLUG}/", "/incidents/"):
        page = text_of(browser.get(path))
        assert f"/incidents/{incident.pk}/" in page, path
    assert "1 open incident" in text_of(browser.get("/"))
    resolve(incident, by=a, at=timezone.now())
    assert "open incident" not in text_of(browser.get("/"))
    assert "Logs are late" in text_of(browser.get(f"/pipelines/{SLUG}/"))


def test_the_list_is_filtered(browser, incident):
    assert "Logs are late" in text_of(browser.get("/incidents/?state=unresolved"))
    assert "No matching incidents" in text_of(browser.get("/incidents/?state=resolved"))
    other = "/incidents/?pipeline=aggregate-profit-investor-reporting"
    assert "No matching incidents" in text_of(browser.get(other))


def test_pagination_keeps_the_filters(browser, incident, pipeline, monkeypatch):
    monkeypatch.setattr(import_module("incidents.views.incidents"), "PAGE_SIZE", 1)
    make_incident(pipeline, at=timezone.now(), title="Two currencies are mixed")
    first = text_of(browser.get(f"/incidents/?pipeline={SLUG}&state=unresolved"))
    assert f'href="?pipeline={SLUG}&amp;state=unresolved&amp;page=2">Older</a>' in first
    second = text_of(browser.get(f"/incidents/?pipeline={SLUG}&state=unresolved&page=2"))
    assert f'href="?pipeline={SLUG}&amp;state=unresolved&amp;page=1">Newer</a>' in second
    assert "Page 2 of 2, 2 incidents" in second


def test_the_page_shows_who_was_notified_and_who_is_next(browser, incident):
    page = text_of(browser.get(f"/incidents/{incident.pk}/"))
    assert "Since &lt;six&gt;." in page
    assert page.count(">notified</span>") == 1
    assert page.count(">next</span>") == 1
    assert browser.get("/incidents/999/").status_code == 404


def test_an_incident_passes_through_all_its_states_without_javascript(browser, signed_in, incident, a, b):
    path = f"/incidents/{incident.pk}/"
    assert browser.post(f"{path}acknowledge/").headers["Location"] == path
    assert signed_in(b).post(f"{path}acknowledge/").status_code == 409
    assert browser.post(f"{path}run/").status_code == 302
    assert (
        browser.post(f"{path}steps/1/", {"done": "1", "note": "Late <b>upstream</b>."}).headers["Location"]
        == f"{path}#step-1"
    )
    assert signed_in(b).post(f"{path}steps/1/", {"done": "1"}).status_code == 409
    page = text_of(browser.get(path))
    assert 'value="Late &lt;b&gt;upstream&lt;/b&gt;."' in page
    assert "revision 1" in page
    assert browser.post(f"{path}steps/9/", {"done": "1"}).status_code == 400
    assert browser.post(f"{path}note/", {"text": "Called them."}).status_code == 302
    assert browser.post(f"{path}note/", {"text": ""}).status_code == 400
    assert browser.post(f"{path}reassign/", {"engineer": "engineer-b"}).status_code == 302
    assert browser.post(f"{path}reassign/", {"engineer": "nobody"}).status_code == 400
    assert browser.post(f"{path}resolve/", {"fixed_by_step": "2"}).status_code == 400
    assert browser.post(f"{path}resolve/", {"fixed_by_step": "1", "text": "Caught up."}).status_code == 302
    page = text_of(browser.get(path))
    assert "fixed it" in page
    assert "Called them." in page
    assert browser.post(f"{path}resolve/").status_code == 409
    assert browser.post(f"{path}reopen/").status_code == 302
    incident.refresh_from_db()
    assert incident.state == "open"


def test_htmx_gets_only_the_checklist(browser, incident, a, b):
    start_run(incident, by=a, at=timezone.now())
    path, htmx = f"/incidents/{incident.pk}/steps/2/", {"HX-Request": "true"}
    answer = browser.post(path, {"done": "1"}, headers=htmx)
    assert answer.status_code == 200
    assert text_of(answer).lstrip().startswith('<form class="checklist"')
    assert RunStep.objects.get(position=2).done_by == a
    mark_step(incident, position=3, done=True, by=b, at=timezone.now())
    answer = browser.post(f"/incidents/{incident.pk}/steps/3/", {"done": "1"}, headers=htmx)
    assert "Engineer B already did step 3" in text_of(answer)


def test_an_incident_is_edited_on_its_page(browser, incident):
    path = f"/incidents/{incident.pk}/edit/"
    assert "Logs are late" in text_of(browser.get(path))
    assert browser.post(path, {"kind": "delay", "title": "Logs are very late", "text": ""}).status_code == 302
    incident.refresh_from_db()
    assert (incident.kind, incident.title) == ("delay", "Logs are very late")
    assert browser.post(path, {"kind": "storm", "title": ""}).status_code == 400


def test_the_page_of_the_runbook_shows_step_statistics(browser, pipeline, now, a):
    assert "no runs yet" in text_of(browser.get(f"/runbooks/{SLUG}/"))
    for _ in range(2):
        made = make_incident(pipeline, at=now)
        start_run(made, by=a, at=now + MINUTE)
        mark_step(made, position=1, done=True, by=a, at=now + 3 * MINUTE)
        mark_step(made, position=3, done=True, by=a, at=now + 13 * MINUTE)
        resolve(made, by=a, at=now + 20 * MINUTE, fixed_by_step=3)
    page = " ".join(text_of(browser.get(f"/runbooks/{SLUG}/")).split())
    assert "2/2 runs · median 10 min · fixed 2 incidents (after 20 min)" in page
    assert "2/2 runs · median 2 min </span>" in page
    assert "0/2 runs </span>" in page


def test_the_admin_finds_reads_and_changes_incidents(signed_in, incident, admin):
    browser = signed_in(admin)
    assert "Logs are late" in text_of(browser.get("/admin/incidents/incident/?q=logs"))
    assert browser.get(f"/admin/incidents/incident/{incident.pk}/change/").status_code == 200
    for action, state in (("acknowledge", "acknowledged"), ("resolve", "resolved"), ("reopen", "open")):
        fields = {"action": action, "_selected_action": [incident.pk]}
        browser.post("/admin/incidents/incident/", fields)
        incident.refresh_from_db()
        assert incident.state == state
    answer = browser.post(
        "/admin/incidents/incident/", {"action": "reopen", "_selected_action": [incident.pk]}, follow=True
    )
    assert "not resolved" in text_of(answer)
    start_run(incident, by=admin, at=timezone.now())
    run = incident.runs.get()
    assert browser.get("/admin/incidents/runbookrun/").status_code == 200
    assert browser.get(f"/admin/incidents/runbookrun/{run.pk}/change/").status_code == 200
    assert browser.get("/admin/incidents/incident/add/").status_code == 403


def test_a_long_incident_needs_no_more_queries_than_a_short_one(signed_in, client, pipeline, admin, a, b, c):
    """Its pages and API calls: with one note and notification, and with ten notes and the whole chain notified."""
    runbook = Runbook.objects.get(pipeline=pipeline)
    at = timezone.now()

    def made(*, notes):
        steps = "".join(f"{number}. Step {number}.\n" for number in range(1, notes + 1))
        save_revision(runbook, markdown=f"### Troubleshooting Steps\n\n{steps}", based_on=runbook.revision, author=a)
        runbook.refresh_from_db()
        incident = make_incident(pipeline, at=at - 200 * MINUTE)
        start_run(incident, by=a, at=at)
        for number in range(1, notes + 1):
            add_note(incident, text=f"Note {number}", by=(a, b, c)[number % 3], at=at)
            mark_step(incident, position=number, done=True, by=(a, b, c)[number % 3], at=at)
        for turn in range(1, min(notes, 8)):
            escalate(incident.pk, at=at - (200 - turn * 15) * MINUTE)
        return incident

    browser, headers = signed_in(admin), bearer(admin)
    counts = []
    for incident in (made(notes=1), made(notes=10)):
        paths = (
            f"/incidents/{incident.pk}/",
            f"/admin/incidents/incident/{incident.pk}/change/",
            f"/admin/incidents/runbookrun/{incident.runs.get().pk}/change/",
        )
        actual = [counted(lambda path=path: browser.get(path)) for path in paths]
        calls = (f"incidents/{incident.pk}/", f"incidents/{incident.pk}/steps/", f"incidents/{incident.pk}/notes/")
        counts.append(actual + [counted(lambda call=call: client.get(f"/api/v1/{call}", **headers)) for call in calls])
    assert all(many <= one for one, many in zip(*counts, strict=True)), counts


def counted(do):
    do()
    with CaptureQueriesContext(connection) as captured:
        assert do().status_code == 200
    return len(captured)


def test_an_incident_links_to_its_check_until_that_is_deleted(browser, client, pipeline, a):
    check = make_check(pipeline, a, metric=make_metric(pipeline), parameters={"fail_below": 1})
    seen = {"since": timezone.now(), "seen_at": timezone.now(), "cooldown": MINUTE}
    trigger = IncidentTrigger(kind="issue", title="Too few", text="0", check_id=check.pk, **seen)
    made = trigger_incident(pipeline, trigger=trigger, at=timezone.now())
    page = text_of(browser.get(f"/incidents/{made.pk}/"))
    assert f'href="/checks/{check.pk}/"' in page
    assert "The check was deleted" not in page
    delete_check(check, by=a, at=timezone.now())
    answer = browser.get(f"/incidents/{made.pk}/")
    assert (answer.status_code, f"/checks/{check.pk}/" in text_of(answer)) == (200, False)
    assert "The check was deleted." in text_of(answer)
    acknowledge(made, by=a, at=timezone.now())
    assert resolve(made, by=a, at=timezone.now()).is_resolved
    assert client.get(f"/api/v1/incidents/{made.pk}/", **bearer(a)).json()["check_id"] == check.pk


def test_an_incident_without_a_check_shows_none(browser, incident):
    assert "The check was deleted" not in text_of(browser.get(f"/incidents/{incident.pk}/"))


def test_an_incident_is_snoozed_on_its_page(browser, incident):
    page = f"/incidents/{incident.pk}/"
    assert "Snooze until" in text_of(browser.get(page))
    until = timezone.now() + 60 * MINUTE
    assert browser.post(f"{page}snooze/", {"until": f"{until:%Y-%m-%dT%H:%M}"}).status_code == 302
    incident.refresh_from_db()
    assert incident.snoozed_until == until.replace(second=0, microsecond=0)
    shown = text_of(browser.get(page))
    assert "then escalation starts again" in shown
    assert "Snoozed</strong>" in shown
    assert browser.post(f"{page}snooze/", {"until": "2020-01-01T00:00"}).status_code == 400
    assert browser.post(f"{page}snooze/", {"until": "x"}).status_code == 400


def test_severity_is_set_on_the_pages_and_in_the_admin(browser, signed_in, incident, admin):
    fields = {"pipeline": SLUG, "kind": "issue", "severity": "low", "title": "Slow"}
    browser.post("/incidents/open/", fields)
    assert Incident.objects.get(title="Slow").severity == "low"
    browser.post(f"/incidents/{incident.pk}/edit/", {"kind": "issue", "severity": "critical", "title": "Logs are late"})
    assert "</svg>critical" in text_of(browser.get("/incidents/"))
    fields = {"action": "set_low", "_selected_action": [incident.pk]}
    signed_in(admin).post("/admin/incidents/incident/", fields)
    incident.refresh_from_db()
    assert incident.severity == "low"


def test_the_alerts_of_an_incident_are_on_its_page(browser, pipeline, incident):
    now = timezone.now()
    for number in range(21):
        Alert.objects.create(
            fingerprint=str(number), name=f"Alert {number}", pipeline=pipeline, incident=incident,
            is_firing=number == 0, starts_at=now, received_at=now,
        )  # fmt: skip
    page = text_of(browser.get(f"/incidents/{incident.pk}/"))
    assert "All 21 alerts" in page
    assert page.count("</svg>firing") == 1
    assert f"Alert {20}" in text_of(browser.get(f"/incidents/alerts/?incident={incident.pk}"))
    assert "No alerts" in text_of(browser.get(f"/incidents/alerts/?incident={incident.pk + 1}"))
    assert browser.get("/incidents/alerts/?incident=x%00").status_code == 200


def section(page, heading):
    """Return the position of a heading on a page."""
    return page.index(f'id="{heading}"')


def test_facts_and_what_happens_next_come_before_the_forms(browser, pipeline, now, a):
    made = make_incident(pipeline, at=timezone.now(), by=a)
    page = text_of(browser.get(f"/incidents/{made.pk}/"))
    order = [section(page, heading) for heading in ("state", "escalation", "resolve", "reassign", "snooze", "timeline")]
    assert order == sorted(order)
    assert page.index("Acknowledge</button>") < page.index("<dt>Opened</dt>")


def test_the_page_says_who_is_notified_next_and_when(browser, pipeline, chain, a):
    at = timezone.now()
    made = make_incident(pipeline, at=at, by=a)
    page = " ".join(text_of(browser.get(f"/incidents/{made.pk}/")).split())
    assert re.search(rf"Escalates to {chain(at)[1]} in 1[45] min", page)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"next_escalation_at": None}, "Escalation exhausted: nobody else will be notified."),
        ({"next_escalation_at": None, "recovered_at": timezone.now()}, "Escalation stopped: the check recovered."),
    ],
)
def test_the_page_says_when_nobody_else_is_notified(browser, incident, fields, sentence):
    Incident.objects.filter(pk=incident.pk).update(**fields)
    assert sentence in text_of(browser.get(f"/incidents/{incident.pk}/"))


def test_an_assignee_who_was_not_notified_in_this_round_is_next(browser, incident, outsider):
    later = timezone.now() + MINUTE
    Incident.objects.filter(pk=incident.pk).update(assignee=outsider, next_escalation_at=later)
    assert f"Escalates to {outsider} in" in text_of(browser.get(f"/incidents/{incident.pk}/"))


def test_notes_are_markdown_with_links(browser, incident, a):
    note = "**Late** load:\n\n- see https://example.com/a?b=1&c=2\n- `SELECT 1`\n\n<script>alert(1)</script>"
    add_note(incident, text=note, by=a, at=timezone.now())
    page = text_of(browser.get(f"/incidents/{incident.pk}/"))
    assert '<a href="https://example.com/a?b=1&amp;c=2" rel="noopener noreferrer">' in page
    assert ("<strong>Late</strong>" in page, "<code>SELECT 1</code>" in page) == (True, True)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_text_of_a_check_is_plain_with_links(browser, pipeline, now):
    seen = {"since": now, "seen_at": now, "cooldown": 30 * MINUTE}
    text = "user_id *is* <null>, see https://example.com/x"
    made = trigger_incident(
        pipeline, trigger=IncidentTrigger(kind="issue", title="T", text=text, check_id=7, **seen), at=now
    )
    page = text_of(browser.get(f"/incidents/{made.pk}/"))
    assert "user_id *is* &lt;null&gt;" in page
    assert '<a href="https://example.com/x"' in page


def test_a_step_entry_has_the_text_of_the_step(browser, pipeline, a):
    made = make_incident(pipeline, at=timezone.now(), by=a)
    step = start_run(made, by=a, at=timezone.now()).steps.get(position=1)
    mark_step(made, position=1, by=a, at=timezone.now(), done=True)
    page = text_of(browser.get(f"/incidents/{made.pk}/"))
    assert step.text in page[section(page, "timeline") :]
