"""The reader page: what it shows and hides, its link, and what many readers cost."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.services.transitions import NewIncident, open_incident
from readiness.models import Publication, ReaderNote, ReadersLink, Restatement
from readiness.presenters import render_readers_page
from readiness.services import page_memory
from readiness.services.readers import MAX_PAGE_AGE, create_link, revoke_link, store_pages, write_note
from tests.factories import bearer, make_pipeline
from tests.statements import writing
from tests.validation.fixtures import bucket, make_check, make_metric, push, run
from tests.waiting import wait_until

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_pages_in_memory():
    page_memory.pages._pages.clear()  # a new web process has an empty memory


@pytest.fixture
def filled(pipeline, metric, check, a):
    """Fill the pipeline with a value, a check, an incident, a note and a restatement; return now."""
    now = timezone.now()
    metric.settle_minutes = 0
    metric.save()
    push(metric, [20.0, 21.0], at=now)
    run(check, at=now)
    open_incident(pipeline, what=NewIncident(kind="issue", title="Secret title"), by=a, at=now)
    write_note(pipeline, text="An invoice is late;  we expect it at noon.", by=a, at=now)
    publication = Publication.objects.create(pipeline=pipeline, day=bucket(1, now).date(), published_at=now)
    Restatement.objects.create(
        publication=publication, metric=metric, bucket=bucket(1, now), from_value=18.0, to_value=21.0, farthest_value=21.0,
        published_at=now, changed_at=now, restated_at=now, settled_at=now, comment="Secret comment", commented_by=a,
    )  # fmt: skip
    return now


@pytest.fixture
def link(pipeline, a):
    return create_link(name="Investor numbers", pipelines=[pipeline], by=a)


def page(secret):
    return Client().get(f"/readers/{secret}/")


def test_the_page_shows_each_number_with_its_verdict_and_the_note(filled, link):
    response = page(link.secret)
    html = response.content.decode()
    assert response.status_code == 200
    for text in ("Investor numbers", "Orders", "21 users", "Doubtful", "An incident is in progress.",
                 "An invoice is late; we expect it at noon.", "published as 18 users", "now <strong>21 users</strong>"):  # fmt: skip
        assert text in html
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Referrer-Policy"] == "same-origin"


def test_a_day_that_is_not_final_says_until_when_it_is_expected(pipeline, metric, link):
    metric.settle_minutes = 600
    metric.save()
    assert "Next update expected by" in page(link.secret).content.decode()


def test_nothing_private_is_on_the_page(filled, link, pipeline, metric, check, a, b):
    html = page(link.secret).content.decode()
    private = [
        *("Engineer A", "Engineer B", "engineer-a", "engineer-b"),
        *("Secret title", "Secret comment", check.name, "SELECT", "csrfmiddlewaretoken"),
        link.secret,
        link.link.digest,
    ]
    assert [text for text in private if text in html] == []


def test_only_the_pipelines_of_the_link_are_on_its_page(filled, link, a, b):
    other = make_pipeline("Payments", primary=a, secondary=b)
    make_metric(other, slug="payments", name="Payments metric")
    assert "Payments" not in page(link.secret).content.decode()
    assert Client().get(f"/readers/{link.secret}/{other.slug}.svg").status_code == 404
    assert Client().get(f"/readers/{link.secret}/orders.svg").headers["Content-Type"] == "image/svg+xml"


def test_a_revoked_or_unknown_link_is_a_404(link, a):
    assert page(link.secret).status_code == 200
    revoke_link(link.link, by=a, at=timezone.now())
    for secret in (link.secret, "read_unknown"):
        assert page(secret).status_code == 404
        html = page(secret).content.decode()
        assert ("Ask the person who sent it to you for a new one." in html, "Sign in" in html) == (True, False)
        assert Client().get(f"/readers/{secret}/orders.svg").status_code == 404
        assert Client().get(f"/readers/{secret}/subscribe/").status_code == 404
    assert ReadersLink.objects.get().html == ""


@pytest.fixture
def processes(transactional_db):
    """Return the pages in the memory of three web processes."""
    memories = [page_memory.PageMemory() for _ in range(3)]
    yield memories
    for memory in memories:
        if memory._listener is not None:
            memory._listener.close()


def shown(memory, secret, monkeypatch):
    """Return True if a web process shows the page of a link."""
    monkeypatch.setattr(page_memory, "pages", memory)
    return page(secret).status_code == 200


def test_a_revoked_link_is_gone_from_every_process_at_once(processes, pipeline, a, monkeypatch):
    link, other = (create_link(name=name, pipelines=[pipeline], by=a) for name in ("Investors", "Board"))
    for secret in (link.secret, other.secret):
        assert all(shown(memory, secret, monkeypatch) for memory in processes)
    monkeypatch.setattr(page_memory, "pages", processes[0])
    revoke_link(link.link, by=a, at=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        assert all(shown(memory, other.secret, monkeypatch) for memory in processes)
        # PostgreSQL delivers a notification after the transaction, at its own pace.
        wait_until(lambda: [memory.get(link.link.digest) for memory in processes] == [None] * 3, every=0.01)
    assert len(captured) == 0
    # A process that read the link just before it was revoked does not store its page.
    processes[1].put(link.link.digest, "<p>old")
    assert processes[1].get(link.link.digest) is None
    assert not any(shown(memory, link.secret, monkeypatch) for memory in processes)


def test_a_process_that_lost_its_connection_reads_the_links_again(processes, pipeline, a, monkeypatch):
    link = create_link(name="Investors", pipelines=[pipeline], by=a)
    assert all(shown(memory, link.secret, monkeypatch) for memory in processes)
    ids = [memory._listener.info.backend_pid for memory in processes]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(pg_terminate_backend(pid, 5000)) FROM unnest(%s) pid", [ids])
    monkeypatch.setattr(page_memory, "pages", page_memory.PageMemory())
    revoke_link(link.link, by=a, at=timezone.now())
    assert not any(shown(memory, link.secret, monkeypatch) for memory in processes)


def test_the_secret_is_stored_as_a_hash_only(link):
    page(link.secret)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(l)::text FROM readiness_readerslink l")
        assert link.secret not in str(cursor.fetchall())


def test_many_readers_in_a_minute_cost_under_fifty_statements(filled, pipeline, link, a, monkeypatch):
    """Eight web processes that share no memory: each reads the stored page twice a minute, and a worker renders it."""
    for number in range(9):
        metric = make_metric(pipeline, slug=f"metric-{number}")
        make_check(pipeline, a, metric=metric, name=f"Check {number}", parameters={"fail_below": 1.0})
    processes = [page_memory.PageMemory() for _ in range(8)]
    seconds = {"now": 0.0}
    monkeypatch.setattr(page_memory.time, "monotonic", lambda: seconds["now"])
    client = Client()
    with CaptureQueriesContext(connection) as captured:
        assert store_pages(render=render_readers_page, at=timezone.now()) == 1
        for reader in range(200):
            seconds["now"] = 60 * reader / 200
            monkeypatch.setattr(page_memory, "pages", processes[reader % 8])
            assert client.get(f"/readers/{link.secret}/").status_code == 200
    # Each process starts listening for revoked links once.
    assert len(captured) + len(processes) < 50


def test_the_browser_revalidates_with_an_entity_tag(filled, link):
    etag = page(link.secret).headers["ETag"]
    response = Client().get(f"/readers/{link.secret}/", headers={"if-none-match": etag})
    assert (response.status_code, response.headers["Cache-Control"]) == (304, "private, no-cache")


def test_engineers_make_and_revoke_links_on_a_page(signed_in, a, b, pipeline):
    client = signed_in(a)
    assert client.post("/readers/", {"name": "", "pipelines": []}).status_code == 400
    assert client.post("/readers/", {"name": "Investors", "pipelines": ["orders"]}).headers["Location"] == "/readers/"
    html = client.get("/readers/").content.decode()
    secret = html.partition("/readers/read_")[2].partition("/")[0]
    assert page(f"read_{secret}").status_code == 200
    # The URL is shown once.
    assert f"read_{secret}" not in client.get("/readers/").content.decode()
    link = ReadersLink.objects.get()
    assert signed_in(b).post(f"/readers/{link.pk}/revoke/").headers["Location"] == "/readers/"
    link.refresh_from_db()
    assert (link.revoked_by, page(f"read_{secret}").status_code) == (b, 404)


def test_the_api_makes_lists_and_revokes_links(client, a, pipeline):
    headers, url = bearer(a), "/api/v1/readers-links/"
    response = client.post(
        url, {"name": "Investors", "pipelines": ["orders"]}, content_type="application/json", **headers
    )
    assert response.status_code == 201
    created = response.json()
    assert page(created["url"].rstrip("/").rpartition("/")[2]).status_code == 200
    [row] = client.get(url, **headers).json()["results"]
    assert row == {name: created[name] for name in ("id", "name", "pipelines", "prefix", "created_at", "created_by")}
    for body in ({"name": "x", "pipelines": []}, {"name": "x", "pipelines": ["unknown"]}, {"pipelines": ["orders"]}):
        assert client.post(url, body, content_type="application/json", **headers).status_code == 400
    assert client.delete(f"{url}{row['id']}/", **headers).status_code == 204
    assert client.get(url, **headers).json()["count"] == 0


def test_admins_revoke_links_in_the_admin(signed_in, admin, link):
    client = signed_in(admin)
    url = "/admin/readiness/readerslink/"
    assert client.get(url).status_code == 200
    assert client.get(f"{url}{link.link.pk}/change/").status_code == 200
    client.post(url, {"action": "revoke", "_selected_action": [link.link.pk]})
    assert page(link.secret).status_code == 404
    for model in ("readernote", "subscription", "readermessage"):
        assert client.get(f"/admin/readiness/{model}/").status_code == 200


def test_an_engineer_writes_the_note_on_the_pipelines_page(signed_in, a, pipeline):
    client = signed_in(a)
    url = "/pipelines/orders/readers-note/"
    assert f'action="{url}"' in client.get("/pipelines/orders/").content.decode()
    assert client.post(url, {"text": "Late today."}).headers["Location"] == "/pipelines/orders/"
    assert 'value="Late today."' in client.get("/pipelines/orders/").content.decode()
    response = client.post(url, {"text": "x" * 281})
    assert (response.status_code, "x" * 281 in response.content.decode()) == (400, True)
    client.post(url, {"text": ""})
    assert not ReaderNote.objects.exists()


def test_the_api_reads_and_writes_the_note(client, a, pipeline):
    headers, url = bearer(a), "/api/v1/pipelines/orders/readers-note/"
    assert client.get(url, **headers).json() == {"text": ""}
    response = client.put(url, {"text": "Late today."}, content_type="application/json", **headers)
    assert (response.status_code, response.json()) == (200, {"text": "Late today."})
    assert client.put(url, {"text": "x" * 281}, content_type="application/json", **headers).status_code == 400
    assert client.get(url, **headers).json() == {"text": "Late today."}


def test_reading_a_page_writes_nothing(filled, link):
    with CaptureQueriesContext(connection) as captured:
        page(link.secret)
    assert writing(captured) == []


def test_a_stored_page_is_shown_until_it_is_old(filled, link, pipeline, a):
    store_pages(render=render_readers_page, at=timezone.now())
    write_note(pipeline, text="Never mind.", by=a, at=timezone.now())
    assert "Never mind." not in page(link.secret).content.decode()
    page_memory.pages._pages.clear()
    ReadersLink.objects.update(rendered_at=timezone.now() - MAX_PAGE_AGE)
    assert "Never mind." in page(link.secret).content.decode()


@pytest.mark.parametrize("path", ["/readers/", "/api/v1/readers-links/", "/admin/readiness/readerslink/"])
def test_the_number_of_queries_does_not_grow_with_the_links(signed_in, admin, link, pipeline, path):
    client = signed_in(admin)

    def count():
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        return len(captured)

    count()
    before = count()
    for number in range(29):
        create_link(name=f"Link {number}", pipelines=[pipeline], by=admin)
    assert count() == before


def test_the_number_of_queries_of_a_page_does_not_grow_with_its_pipelines(filled, pipeline, a, b):
    def count(chosen):
        with CaptureQueriesContext(connection) as captured:
            render_readers_page(chosen.link, timezone.now())
        return len(captured)

    rows = [pipeline]
    for number in range(29):
        row = make_pipeline(f"Pipeline {number}", primary=a, secondary=b)
        metric = make_metric(row, slug="users")
        make_check(row, a, metric=metric, name="Range", parameters={"fail_below": 1.0})
        rows.append(row)
    few, all_ = (create_link(name="Page", pipelines=chosen, by=a) for chosen in (rows[:2], rows))
    assert count(few) == count(all_)
