"""Runbooks: rendered on save, edited with preview, revised, compared, restored, searched."""

import contextlib

import psycopg2
import pytest
from django.db import connection

from common.exceptions import DomainError, InvalidInputError
from pipelines.models import Pipeline
from runbooks import queries, services, views
from runbooks.models import Runbook, RunbookRevision, RunbookSection
from tests.each import each
from tests.factories import bearer, make_pipeline, make_runbook

JSON = "application/json"
FIRST = "### Purpose\n\nTo measure growth.\n\n### Troubleshooting Steps\n\n1. Check the logs.\n2. Rerun."


@pytest.fixture
def runbook(daily_growth, a):
    return make_runbook(daily_growth, FIRST, a)


@pytest.fixture
def path(runbook):
    return f"/runbooks/{runbook.pipeline.slug}/"


@pytest.fixture
def call(runbook):
    return f"/api/v1/runbooks/{runbook.pipeline.slug}/"


def test_a_runbook_is_rendered_into_sections_when_it_is_saved(runbook):
    sections = list(runbook.sections.values_list("title", flat=True))
    assert sections == ["Purpose", "Troubleshooting Steps"]
    assert "<li>Check the logs.</li>" in RunbookRevision.objects.get().html.replace("\n", "")


def test_a_pipeline_has_one_runbook(runbook, daily_growth):
    with pytest.raises(DomainError, match="already"):
        make_runbook(daily_growth)


def test_saving_makes_a_revision(runbook, b):
    saved = services.save_revision(runbook, markdown=FIRST + "\n3. Sleep.", based_on=1, author=b, summary="rest")
    assert (saved.number, saved.author, saved.summary) == (2, b, "rest")
    assert Runbook.objects.get().revision == 2
    assert "Sleep" in RunbookSection.objects.get(position=1).text


def test_saving_the_same_text_makes_none(runbook, b):
    assert services.save_revision(runbook, markdown=FIRST, based_on=1, author=b).number == 1
    assert RunbookRevision.objects.count() == 1
    assert Runbook.objects.get().revision == 1


def test_a_stale_edit_is_refused_with_both_texts(runbook, a, b):
    services.save_revision(runbook, markdown="### Purpose\n\nTheirs.", based_on=1, author=a)
    with pytest.raises(services.StaleEditError) as caught:
        services.save_revision(runbook, markdown="### Purpose\n\nMine.", based_on=1, author=b)
    assert "Theirs." in caught.value.current.markdown
    assert "Mine." in caught.value.yours
    assert RunbookRevision.objects.count() == 2


def test_restoring_makes_a_new_revision_of_the_old_text(runbook, a, b):
    services.save_revision(runbook, markdown="### Purpose\n\nWorse.", based_on=1, author=a)
    restored = services.restore_revision(runbook, number=1, based_on=2, author=b)
    assert (restored.number, restored.restored_from) == (3, 1)
    assert restored.markdown == RunbookRevision.objects.get(number=1).markdown


def test_a_text_over_64_kib_is_refused_and_changes_nothing(runbook, a):
    with pytest.raises(InvalidInputError):
        services.save_revision(runbook, markdown="x" * 70_000, based_on=1, author=a)
    assert Runbook.objects.get().revision == 1


# In the browser


def test_an_engineer_reads_edits_and_sees_the_new_text(signed_in, b, path):
    browser = signed_in(b)
    assert "To measure growth." in browser.get(path).content.decode()
    form = browser.get(f"{path}edit/").context["form"]
    typed = {"markdown": FIRST.replace("growth", "daily growth"), "based_on": form["based_on"].value(), "summary": ""}
    assert browser.post(f"{path}edit/", typed).headers["Location"] == path
    assert "To measure daily growth." in browser.get(path).content.decode()


def test_preview_without_javascript_shows_the_text_and_saves_nothing(signed_in, b, path):
    typed = {"markdown": "### Purpose\n\nSeen only.", "based_on": 1, "summary": "why", "preview": "1"}
    page = signed_in(b).post(f"{path}edit/", typed)
    assert "<p>Seen only.</p>" in page.content.decode()
    assert 'value="why"' in page.content.decode()
    assert RunbookRevision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_person_has_one_preview_at_a_time(a, b, signed_in, daily_growth, monkeypatch):
    make_runbook(daily_growth)
    url = f"/runbooks/{daily_growth.slug}/"
    monkeypatch.setattr("runbooks.views.MAX_WAIT_SECONDS", 0.1)
    other = psycopg2.connect(**{**connection.get_connection_params(), "cursor_factory": None})
    with contextlib.closing(other), other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"preview of {a.pk}"])
        refused = signed_in(a).post(f"{url}preview/", {"markdown": "**bold**"})
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        page = (
            signed_in(a).post(f"{url}edit/", {"markdown": "**bold**", "based_on": 1, "preview": "1"}).content.decode()
        )
        assert "Another preview of yours is being made." in page
        assert "**bold**" in page
        assert "<strong>bold</strong>" in signed_in(b).post(f"{url}preview/", {"markdown": "**bold**"}).content.decode()
        other.rollback()
    assert "<strong>bold</strong>" in signed_in(a).post(f"{url}preview/", {"markdown": "**bold**"}).content.decode()


def test_live_preview_answers_the_fragment(signed_in, b, path):
    page = signed_in(b).post(f"{path}preview/", {"markdown": "**bold**"})
    assert "<strong>bold</strong>" in page.content.decode()
    assert "<html" not in page.content.decode()


def test_a_stale_edit_in_the_browser_keeps_both_texts(signed_in, a, b, runbook, path):
    services.save_revision(runbook, markdown="### Purpose\n\nTheirs.", based_on=1, author=a)
    page = signed_in(b).post(f"{path}edit/", {"markdown": "### Purpose\n\nMine.", "based_on": 1, "summary": ""})
    assert page.status_code == 409
    text = page.content.decode()
    assert "Theirs." in text
    assert "Mine." in page.context["form"]["markdown"].value()
    assert page.context["form"]["based_on"].value() == 2
    again = {"markdown": "### Purpose\n\nMine.", "based_on": 2, "summary": ""}
    assert signed_in(b).post(f"{path}edit/", again).status_code == 302


def test_too_long_a_text_keeps_what_was_typed(signed_in, b, path):
    page = signed_in(b).post(f"{path}edit/", {"markdown": "x" * 70_000, "based_on": 1, "summary": "big"})
    assert page.status_code == 400
    assert page.context["form"]["markdown"].value() == "x" * 70_000


def test_revisions_are_listed_shown_compared_and_restored(signed_in, a, b, runbook, path):
    services.save_revision(runbook, markdown=FIRST.replace("Rerun", "Restart"), based_on=1, author=a)
    browser = signed_in(b)
    assert "Revision 2" in browser.get(f"{path}revisions/").content.decode()
    assert "Rerun" in browser.get(f"{path}revisions/1/").content.decode()
    compared = browser.get(f"{path}compare/", {"old": 1, "new": 2}).content.decode()
    assert "Rerun" in compared
    assert "Restart" in compared
    browser.post(f"{path}revisions/1/restore/")
    assert Runbook.objects.get().revision == 3
    assert browser.get(f"{path}revisions/9/").status_code == 404
    assert browser.get(f"{path}compare/", {"old": "x"}).status_code == 404


def test_a_pipeline_without_a_runbook_says_how_to_begin_one(signed_in, b, daily_growth):
    browser = signed_in(b)
    page = f"/runbooks/{daily_growth.slug}/"
    assert f"{page}begin/" in browser.get(page).content.decode()
    assert browser.get(f"{page}begin/").status_code == 200
    assert browser.post(f"{page}begin/", {"markdown": "### Purpose\n\nBegun."}).headers["Location"] == page
    assert "Begun." in browser.get(page).content.decode()


# Through the API


def test_the_api_answers_a_runbook_with_its_sections(client, a, call):
    answer = client.get(call, **bearer(a)).json()
    assert answer["pipeline"] == "daily-growth-experiment-focused"
    assert answer["revision"] == 1
    assert answer["markdown"].startswith("### Purpose")
    assert [part["title"] for part in answer["sections"]] == ["Purpose", "Troubleshooting Steps"]
    assert client.get("/api/v1/runbooks/", **bearer(a)).json()["results"] == [answer]


def test_the_api_saves_a_text_that_names_its_revision(client, b, call):
    answer = client.put(call, {"markdown": "### Purpose\n\nNew.", "revision": 1}, content_type=JSON, **bearer(b))
    assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    revisions = client.get(f"{call}revisions/", **bearer(b)).json()
    assert [(row["revision"], row["author"]) for row in revisions["results"]] == [(2, "engineer-b"), (1, "engineer-a")]
    assert client.get(f"{call}revisions/1/", **bearer(b)).json()["markdown"].startswith("### Purpose")
    assert client.get(f"{call}revisions/99/", **bearer(b)).status_code == 404


def test_the_api_refuses_a_stale_text_with_409_and_both_texts(client, a, b, runbook, call):
    services.save_revision(runbook, markdown="### Purpose\n\nTheirs.", based_on=1, author=a)
    answer = client.put(call, {"markdown": "### Purpose\n\nMine.", "revision": 1}, content_type=JSON, **bearer(b))
    assert answer.status_code == 409
    assert "Theirs." in answer.json()["current"]
    assert "Mine." in answer.json()["yours"]
    assert answer.json()["revision"] == 2


@each(
    ("given", "status", "field"),
    [
        ({"markdown": "x"}, 400, "revision"),
        ({"revision": 1}, 400, "markdown"),
        ({"markdown": "", "revision": 1}, 400, "markdown"),
        ({"markdown": "x", "revision": "one"}, 400, "revision"),
        ({"markdown": "x", "revision": 10**30}, 400, "revision"),
        ({"markdown": "a\0b", "revision": 1}, 400, "markdown"),
        ({"markdown": "x" * 70_000, "revision": 1}, 413, "markdown"),
        ([], 400, "non_field_errors"),
    ],
)
def test_a_wrong_text_is_refused_by_field(client, b, call, given, status, field):
    answer = client.put(call, given, content_type=JSON, **bearer(b))
    assert (answer.status_code, list(answer.json())) == (status, [field])
    assert Runbook.objects.get().revision == 1


# Search


def test_the_search_finds_a_section_and_marks_the_words(signed_in, a, runbook):
    [hit] = queries.search_sections("logs")
    assert hit.title == "Troubleshooting Steps"
    assert hit.url.endswith("#section-troubleshooting-steps")
    assert "<mark>logs</mark>" in hit.snippet
    assert "<mark>logs</mark>" in signed_in(a).get("/search/", {"q": "logs"}).content.decode()


def test_a_hit_shows_the_words_of_a_section_and_not_its_queries(runbook, a):
    step = "1. Check the logs.\n\n   ```sql source=Warehouse\n   SELECT day FROM activity_logs\n   ```\n2. Rerun.\n"
    services.save_revision(runbook, markdown=f"### Troubleshooting Steps\n\n{step}", based_on=1, author=a)
    for words, shown in (("logs", "Check the <mark>logs</mark>. Rerun"), ("day", "Check the logs. Rerun.")):
        [hit] = queries.search_sections(words)
        assert hit.snippet == shown


def test_the_search_finds_another_form_of_a_word(runbook):
    assert queries.search_sections("measuring")


def test_the_search_finds_words_of_any_script(runbook, a):
    services.save_revision(runbook, markdown="### 目的\n\n検証手順を確認する。", based_on=1, author=a)
    assert queries.search_sections("検証手順")


@each("words", ["", " ", "'", '"', "a & b", "!:*", "\\", "(", "<script>", "%", "x" * 199, "🦉", ":*", "''"])
def test_no_words_break_the_search(signed_in, a, runbook, words):
    assert signed_in(a).get("/search/", {"q": words}).status_code == 200


@pytest.mark.parametrize("words", ["x\0y", "x" * 5000])
def test_unusable_words_are_refused_with_a_reason(signed_in, a, words):
    assert signed_in(a).get("/search/", {"q": words}).status_code in (200, 400)


def test_a_hit_escapes_what_the_runbook_says(runbook, a):
    services.save_revision(runbook, markdown="### Purpose\n\n`<script>alert(1)</script>` logs", based_on=1, author=a)
    [hit] = queries.search_sections("logs")
    assert "<script" not in hit.snippet


def test_the_admin_lists_runbooks(signed_in, admin, runbook):
    browser = signed_in(admin)
    assert "Daily growth" in browser.get("/admin/runbooks/runbook/").content.decode()
    assert browser.get(f"/admin/runbooks/runbook/{runbook.pk}/change/").status_code == 200


def test_a_runbook_goes_with_its_pipeline(runbook, daily_growth):
    Pipeline.objects.get(pk=daily_growth.pk).delete()
    assert not Runbook.objects.exists()


def test_the_list_names_pipelines_that_lack_a_runbook(signed_in, a, b, runbook):
    make_pipeline("Bare", primary=a, secondary=b)
    assert "Bare" in signed_in(a).get("/runbooks/").content.decode()


def test_a_long_list_of_runbooks_comes_in_pages_and_folds_those_that_lack_one(signed_in, a, b, runbook, monkeypatch):
    monkeypatch.setattr(views, "RUNBOOKS_PER_PAGE", 1)
    other = make_pipeline("Second", primary=a, secondary=b)
    services.create_runbook(other, title="Second", markdown="### Purpose\n\nWhy.", author=a)
    make_pipeline("Bare 0", primary=a, secondary=b)
    first = signed_in(a).get("/runbooks/").content.decode()
    assert 'href="?page=2">Next</a>' in first
    assert '/runbooks/second/"' not in first
    assert '/runbooks/second/"' in signed_in(a).get("/runbooks/?page=2").content.decode()
    assert '<details class="card" open>' in first
    for number in range(1, 11):
        make_pipeline(f"Bare {number}", primary=a, secondary=b)
    assert '<details class="card">' in signed_in(a).get("/runbooks/").content.decode()
