"""Readers without an account, while workers are killed: their messages and their page."""

import contextlib
import datetime as dt
import random

import pytest
from django.db import connection
from django.utils import timezone

from notifications.channels.email.mail import fixed_message_id
from readiness.models import Publication, ReaderMessage, ReaderNotification, ReadersLink, Subscription
from readiness.services import page_memory
from readiness.services.readers import MAX_PAGE_AGE, create_link, page_html
from tests.factories import make_engineer, make_pipeline
from tests.faults.workers import site
from tests.validation.fixtures import bucket, make_check, make_metric, push, run
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800), pytest.mark.xdist_group("messages")]

READER_SWEEPS = ("sync publications", "render reader pages", "deliver reader messages")


def publish_wrong_number(*, readers):
    """Publish yesterday's number, find it wrong, and confirm the subscriptions; return the link."""
    now = timezone.now()
    owner, other = make_engineer("Owner A"), make_engineer("Owner B")
    pipeline = make_pipeline("Orders", primary=owner, secondary=other)
    metric = make_metric(pipeline, slug="orders", settle_minutes=0)
    check = make_check(pipeline, owner, metric=metric, name="Orders are plausible", parameters={"fail_below": 10.0})
    Publication.objects.create(pipeline=pipeline, day=bucket(1, now).date(), published_at=now)
    push(metric, [20.0, 1.0], at=now)
    run(check, at=now)
    new_link = create_link(name="Investors", pipelines=[pipeline], by=owner)
    Subscription.objects.bulk_create(
        Subscription(
            link=new_link.link, pipeline=pipeline, email=f"reader{number}@example.org", created_at=now, confirmed_at=now
        )
        for number in range(readers)
    )
    return new_link


def message_ids():
    """Return the Message-IDs of the messages to readers."""
    rows = ReaderMessage.objects.all()
    return {fixed_message_id(f"reader.{row.pk}", occurrence=f"{row.pk}:{row.kind}:{row.occurrence}") for row in rows}


def check_reader_kills(*, readers, kills):
    """Kill workers with -9 while a wrong number is reported: each reader gets one message, and the page is current afterwards."""
    source, killed = random.Random(21), 0
    new_link = publish_wrong_number(readers=readers)
    with site(often=READER_SWEEPS) as running:
        for number in range(2):
            running.worker(f"worker-{number}")
        # Two beats sweep at the same time.
        running.beat("beat-0")
        running.beat("beat-1")
        running.rules(delay=0.05)

        def is_done():
            finished = ReaderMessage.objects.filter(state__in=("sent", "failed", "dropped"))
            return finished.count() == readers

        # Starts at the first enqueued message, in the middle of the sweep that enqueues the others.
        wait_until(ReaderMessage.objects.exists, why="no message was enqueued")
        while killed < kills and not is_done():
            running.revive()
            share = (killed + source.random()) / kills
            wait_until(
                lambda share=share: ReaderNotification.objects.count() >= share * readers or is_done(),
                why="nothing more was sent",
            )
            if senders := running.senders():
                source.choice(senders).kill()
                killed += 1
        assert killed >= 1
        wait_until(is_done, why=lambda: list(ReaderMessage.objects.values_list("state", "problem"))[:20])
        accepted = [row for row in running.accepted() if row["to"][0].startswith("reader")]
        ended = timezone.now()
        wait_until(lambda: ReadersLink.objects.filter(rendered_at__gt=ended).exists(), why="no page was rendered")
    extra = len(accepted) - readers
    assert set(ReaderMessage.objects.values_list("state", "kind")) == {("sent", "alert")}
    assert {row["id"] for row in accepted} == message_ids()
    assert len({row["to"][0] for row in accepted}) == readers
    assert 0 <= extra <= killed, f"{extra} copies too many for {killed} kills"
    assert ReaderNotification.objects.count() == readers
    assert "Wrong" in stored_page(new_link)
    return f"{readers:,} readers, {killed} processes killed: all notified, {extra} extra copies; the page is current"


def stored_page(new_link):
    """Return the page that a web process shows without rendering it."""

    def fail(link, at):
        raise AssertionError(f"not rendered in {MAX_PAGE_AGE}")

    page_memory.pages._pages.clear()
    return page_html(new_link.secret, render=fail, at=timezone.now())


@pytest.fixture
def database(transactional_db):
    with contextlib.closing(connection):
        yield


def test_readers_are_notified_once_while_workers_are_killed(database):
    check_reader_kills(readers=60, kills=4)


def test_without_workers_a_web_process_renders_an_old_page(database):
    new_link = publish_wrong_number(readers=0)
    at = timezone.now()
    assert page_html(new_link.secret, render=lambda link, at: "<p>rendered", at=at) == "<p>rendered"
    ReadersLink.objects.update(html="<p>stored", rendered_at=at)
    for age, html in ((MAX_PAGE_AGE - dt.timedelta(seconds=1), "<p>stored"), (MAX_PAGE_AGE, "<p>rendered")):
        page_memory.pages._pages.clear()
        assert page_html(new_link.secret, render=lambda link, at: "<p>rendered", at=at + age) == html
