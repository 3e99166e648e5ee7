"""Pages of lineage, and owner drift on its page and in the API."""

import re
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lineage.domain.graph import Link
from lineage.models import EDGE_FADES_AFTER, DbtExposure, DbtGroup, DbtNode, DbtProject, OwnerDecision, Source
from lineage.services.edges import add_edge, record_edges
from tests.factories import bearer, make_engineer, make_pipeline

JSON = "application/json"


@pytest.fixture
def project(db):
    at = timezone.now()
    return DbtProject.objects.create(name="shop", schema=12, generated_at=at, imported_at=at)


def boxes(page):
    return re.findall(r"<title>([^<]+): \w+, [^<]+</title>", page)


def test_the_page_draws_every_pipeline_with_status_and_responder_and_lists_the_same(signed_in, shop, a):
    at = timezone.now()
    record_edges([Link(shop[0].pk, shop[1].pk)], source=Source.DBT, project="shop", at=at - EDGE_FADES_AFTER)
    add_edge(upstream=shop[1], downstream=shop[2], at=at)
    make_pipeline("Alone", primary=a, secondary=make_engineer("Engineer C"))
    page = signed_in(a).get("/lineage/").content.decode()
    assert boxes(page) == ["Staging", "Core", "Marts"]
    assert "unknown · Engineer A" in page
    assert page.count("lineage-edge faded") == 1
    assert (
        re.sub(r"\s+", " ", page).count('<a href="/pipelines/staging/">Staging</a> <span class="muted">(faded)</span>')
        == 1
    )
    assert "1 pipeline without lineage." in page


def test_a_box_leaves_out_the_audience_unless_two_pipelines_share_a_name(signed_in, a, b):
    names = ("Profit (investors)", "Profit (board)", "Engagement (investors)")
    profit, same, other = (make_pipeline(name, primary=a, secondary=b, position=i) for i, name in enumerate(names))
    add_edge(upstream=profit, downstream=other, at=timezone.now())
    add_edge(upstream=same, downstream=other, at=timezone.now())
    page = signed_in(a).get("/lineage/").content.decode()
    assert sorted(boxes(page)) == sorted(names)
    drawn = re.findall(r'<text class="lineage-name"[^>]*>([^<]+)<', page)
    assert sorted(drawn) == ["Engagement", "Profit (board)", "Profit (investors)"]


def test_the_page_focuses_on_a_pipeline_to_a_depth(signed_in, a, b):
    chain = [make_pipeline(f"P{i}", primary=a, secondary=b, position=i) for i in range(6)]
    for upstream, downstream in pairwise(chain):
        add_edge(upstream=upstream, downstream=downstream, at=timezone.now())
    client = signed_in(a)
    assert boxes(client.get("/lineage/?focus=p3&depth=1").content.decode()) == ["P2", "P3", "P4"]
    assert len(boxes(client.get("/lineage/?focus=p3&depth=all").content.decode())) == 6
    for query in ("focus=nothing", "depth=9"):
        assert client.get(f"/lineage/?{query}").status_code == 400


def test_many_pipelines_are_drawn_in_part_around_the_one_with_most_edges(signed_in, a, b):
    pipelines = [make_pipeline(f"P{i}", primary=a, secondary=b, position=i) for i in range(60)]
    links = {Link(pipelines[i].pk, pipelines[i * 3 // 2 + 1].pk) for i in range(39)}
    record_edges(
        links | {Link(pipelines[0].pk, row.pk) for row in pipelines[1:30]}, source=Source.OPENLINEAGE, at=timezone.now()
    )
    page = signed_in(a).get("/lineage/").content.decode()
    assert 1 < len(boxes(page)) <= 40
    assert 'around <a href="/pipelines/p0/">P0</a>' in page


def test_pages_need_as_many_statements_for_thirty_edges_as_for_one(signed_in, admin, a, b):
    client, counts = signed_in(admin), []
    hub = make_pipeline("Hub", primary=a, secondary=b)
    for number in (1, 30):
        for i in range(number):
            add_edge(
                upstream=make_pipeline(f"P{number} {i}", primary=b, secondary=a), downstream=hub, at=timezone.now()
            )
        counts.append({})
        for path in ("/lineage/", "/", "/pipelines/", "/admin/lineage/edge/"):
            with CaptureQueriesContext(connection) as statements:
                assert client.get(path).status_code == 200
            counts[-1][path] = len(statements)
    assert counts[0] == counts[1]


def test_a_pipelines_page_shows_what_it_reads_and_who_reads_it(signed_in, shop, project, a):
    add_edge(upstream=shop[0], downstream=shop[1], at=timezone.now())
    exposure = DbtExposure.objects.create(
        project=project, key="exposure.shop.x", name="Board report", kind="dashboard", url="https://bi.example.org/x"
    )
    exposure.pipelines.add(shop[1])
    page = signed_in(a).get("/pipelines/core/").content.decode()
    assert '<a href="https://bi.example.org/x" rel="noreferrer">Board report</a>' in page
    assert "Admin, last seen" in page
    assert '<h2 id="lineage">' not in signed_in(a).get("/pipelines/marts/").content.decode()


def test_unmapped_nodes_are_listed_with_the_reason_on_the_page_and_in_the_api(signed_in, client, project, shop, a):
    for key, pipeline, reason in (
        ("model.shop.a", None, "No rule for it."),
        ("model.shop.b", shop[0], "group staging"),
    ):
        DbtNode.objects.create(project=project, key=key, kind="model", name=key, pipeline=pipeline, reason=reason)
    page = signed_in(a).get("/lineage/unmapped/").content.decode()
    assert ("No rule for it." in page, "model.shop.b" in page) == (True, False)
    [row] = client.get("/api/v1/dbt-nodes/?unmapped=true", **bearer(a)).json()["results"]
    assert (row["key"], row["project"], row["pipeline"], row["reason"]) == (
        "model.shop.a",
        "shop",
        None,
        "No rule for it.",
    )
    assert client.get("/api/v1/dbt-nodes/?unmapped=false&pipeline=staging", **bearer(a)).json()["count"] == 1
    assert client.get("/api/v1/dbt-nodes/?pipeline=nothing", **bearer(a)).status_code == 400


# Drift: the primary owner of `shop` is Engineer A and the secondary owner Engineer B.


def own(project, pipeline, *, name="", email="", group="", count=1, kind="model"):
    for _ in range(count):
        DbtNode.objects.create(
            project=project, key=f"model.shop.n{DbtNode.objects.count()}", kind=kind, name="n", pipeline=pipeline, group=group,
            owner_name=name, owner_email=email,
        )  # fmt: skip


def drift(client, user):
    rows = client.get("/api/v1/owner-drift/", **bearer(user)).json()["results"]
    return [
        (row["pipeline"], row["code_name"] or row["code_email"], row["code_owner"], row["primary_owner"])
        for row in rows
    ]


def test_drift_compares_the_owner_of_most_nodes_with_the_primary_owner(client, shop, project, a, b, c):
    DbtGroup.objects.create(project=project, key="group.shop.g", name="g", owner_email="B@EXAMPLE.ORG")
    type(b).objects.filter(pk=b.pk).update(email="b@example.org")
    own(project, shop[0], name="engineer a")
    own(project, shop[1], group="g", count=2)
    own(project, shop[1], name="Engineer C")
    own(project, shop[1], name="Engineer C", kind="test", count=5)
    own(project, shop[2], name="Nobody Here")
    assert drift(client, a) == [
        ("core", "B@EXAMPLE.ORG", "engineer-b", "engineer-a"),
        ("marts", "Nobody Here", None, "engineer-a"),
    ]


def test_an_admin_takes_over_the_owner_in_the_code_or_keeps_the_owner_here(
    client, signed_in, shop, project, admin, a, b, c
):
    own(project, shop[0], name="Engineer B")
    own(project, shop[1], name="Engineer C")
    browser = signed_in(admin)
    answer = browser.post("/lineage/drift/staging/", {"side": "code"}, follow=True).content.decode()
    assert "Engineer B is now the primary owner of Staging." in answer
    shop[0].refresh_from_db()
    assert (shop[0].primary_owner, shop[0].secondary_owner) == (b, a)
    path = "/api/v1/owner-drift/core/decide/"
    assert client.post(path, {"side": "left"}, content_type=JSON, **bearer(admin)).status_code == 400
    assert client.post(path, {"side": "site"}, content_type=JSON, **bearer(a)).status_code == 403
    assert client.post(path, {"side": "site"}, content_type=JSON, **bearer(admin)).status_code == 204
    shop[1].refresh_from_db()
    assert (shop[1].primary_owner, drift(client, a)) == (a, [])
    assert client.post(path, {"side": "code"}, content_type=JSON, **bearer(admin)).status_code == 409
    own(project, shop[1], name="Engineer B", count=3)
    assert drift(client, a) == [("core", "Engineer B", "engineer-b", "engineer-a")]


CHANGED = "The owners of Staging have changed: the code names {}, and the primary owner is {}. Decide again."


def hidden(page):
    return dict(re.findall(r'<input type="hidden" name="((?:code|primary)_[a-z]+)" value="([^"]*)"', page))


@pytest.mark.parametrize("side", ["code", "site"])
def test_owners_that_changed_since_they_were_shown_stay(client, signed_in, shop, project, admin, c, side):
    own(project, shop[0], name="Engineer B")
    browser, path = signed_in(admin), "/api/v1/owner-drift/staging/decide/"
    shown = hidden(browser.get("/lineage/drift/").content.decode())
    [row] = client.get("/api/v1/owner-drift/", **bearer(admin)).json()["results"]
    listed = {name: row[name] for name in shown}
    assert shown == listed == {
        "code_name": "Engineer B", "code_email": "", "code_owner": "engineer-b", "primary_owner": "engineer-a",
    }  # fmt: skip
    # Any engineer posts manifests.
    own(project, shop[0], name="Engineer C", count=3)
    why = CHANGED.format("Engineer C", "Engineer A")
    page = browser.post("/lineage/drift/staging/", {"side": side, **shown}, follow=True).content.decode()
    assert (why in page, hidden(page)["code_owner"]) == (True, "engineer-c")
    answer = client.post(path, {"side": side, **listed}, content_type=JSON, **bearer(admin))
    assert (answer.status_code, answer.json()) == (409, {"detail": why})
    # Another admin has changed the primary owner.
    type(shop[0]).objects.filter(pk=shop[0].pk).update(primary_owner=shop[0].secondary_owner_id, secondary_owner=admin)
    listed |= {"code_name": "Engineer C", "code_owner": "engineer-c"}
    answer = client.post(path, {"side": side, **listed}, content_type=JSON, **bearer(admin))
    assert (answer.status_code, answer.json()) == (409, {"detail": CHANGED.format("Engineer C", "Engineer B")})
    shop[0].refresh_from_db()
    assert (shop[0].primary_owner.username, OwnerDecision.objects.count()) == ("engineer-b", 0)
    listed["primary_owner"] = "engineer-b"
    assert client.post(path, {"side": side, **listed}, content_type=JSON, **bearer(admin)).status_code == 204


def test_an_account_created_meanwhile_does_not_become_owner(client, shop, project, admin, a):
    own(project, shop[0], name="Engineer Z")
    listed = {"code_name": "Engineer Z", "code_owner": None}
    make_engineer("Engineer Z")
    path = "/api/v1/owner-drift/staging/decide/"
    answer = client.post(path, {"side": "code", **listed}, content_type=JSON, **bearer(admin))
    assert (answer.status_code, drift(client, a)) == (409, [("staging", "Engineer Z", "engineer-z", "engineer-a")])


def test_a_decision_without_a_side_is_rejected(signed_in, shop, project, admin, b):
    own(project, shop[0], name="Engineer B")
    page = signed_in(admin).post("/lineage/drift/staging/", {}, follow=True).content.decode()
    assert ("Choose one of the owners." in page, OwnerDecision.objects.count()) == (True, 0)


def test_an_owner_who_is_not_here_cannot_be_taken_over(client, shop, project, admin):
    own(project, shop[0], email="gone@example.org")
    answer = client.post("/api/v1/owner-drift/staging/decide/", {"side": "code"}, content_type=JSON, **bearer(admin))
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "No user has the e-mail address or name “gone@example.org”. Add the user first, or keep the current owners.",
    )
