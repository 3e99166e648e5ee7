"""Promises 6 to 12: messages under killed workers, doubled beats, lost brokers, bad mail servers, wrong clocks; real processes."""

import contextlib
import datetime as dt
import random
import time

import psutil
import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from notifications.channels.email.mail import message_id
from notifications.models import Message
from notifications.services.outbox import enqueue
from people.models import User
from tests.factories import make_engineer
from tests.faults.workers import site
from tests.notifications.news import News
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("messages"),
]

PEOPLE = 20
DAY = dt.timedelta(days=1)
OPEN_STATES = ("pending", "sending")


def make_messages(count, *, named, due=None, spread=0.0, expires=None):
    """Put that many messages into the outbox, due now or at `due`, spread over some seconds; return their Message-IDs."""
    people = list(User.objects.exclude(email="").order_by("pk")[:PEOPLE])
    while len(people) < PEOPLE:
        people.append(make_engineer(f"Reader {len(people)}", email=f"reader{len(people)}@example.org"))
    begin = due or timezone.now()
    rounds = -(-count // PEOPLE)
    for number in range(rounds):
        at = begin + dt.timedelta(seconds=spread * number / rounds)
        recipients = people[: min(PEOPLE, count - number * PEOPLE)]
        enqueue(recipients, News(f"{named} {number}"), due_at=at, expires_at=expires or at + DAY)
    rows = batch(named)
    assert len(rows) == count
    return {message_id(row) for row in rows}


def batch(named):
    """Return the messages of a batch."""
    return Message.objects.filter(type="news", dedup_key__startswith=f"{named} ")


def waiting(named):
    """Return how many messages are neither sent nor given up; while the database is away, that some are."""
    try:
        return batch(named).filter(state__in=OPEN_STATES).count()
    except OperationalError:
        connection.close()
        return 1


def wait_for_all(named):
    states = lambda: list(batch(named).values_list("state", "attempts", "problem"))[:20]  # noqa: E731
    wait_until(lambda: not waiting(named), why=lambda: f"{waiting(named)} still wait: {states()}")


def copies(running, wanted):
    """Return the extra copies that the mail server took of these messages; fail where one is lost."""
    ids = [row["id"] for row in running.accepted() if row["id"] in wanted]
    lost = wanted - set(ids)
    assert not lost, f"{len(lost)} of {len(wanted)} lost"
    return len(ids) - len(wanted)


# 6


def check_kills(*, messages, kills, redis=True):
    """Kill senders and workers with -9 at random while messages go out: none is lost, and no more copies than kills.

    The kills are spread over the messages, not over time, so that a slow machine is not killed before it has sent anything.
    """
    source, killed = random.Random(6), 0
    with site(redis=redis) as running:
        workers = [f"worker-{number}" for number in range(2)]
        for name in workers:
            running.worker(name)
        running.beat("beat")
        running.rules(delay=0.02)
        wanted = make_messages(messages, named="kills")
        wait_until(running.accepted, why="nothing was ever sent")
        while killed < kills and waiting("kills"):
            running.revive()
            share = (killed + source.random()) / kills
            wait_until(
                lambda share=share: len(running.accepted()) >= share * messages or not waiting("kills"),
                why="nothing more was sent",
            )
            whole = source.random() < 0.2
            if whole:
                # A worker with all its children: its restart takes a few seconds, as an operator's would.
                name = source.choice(workers)
                children = psutil.Process(running.running[name].pid).children()
                running.kill(name)
                killed += 1 + len(children)
                for child in children:
                    with contextlib.suppress(psutil.Error):
                        child.kill()
                running.worker(name)
            elif senders := running.senders():
                with contextlib.suppress(psutil.Error):
                    source.choice(senders).kill()
                    killed += 1
        assert killed >= min(kills, 1)
        wait_for_all("kills")
        extra = copies(running, wanted)
    assert extra <= killed, f"{extra} copies too many for {killed} kills"
    return f"{messages:,} messages, {killed} processes killed: 0 lost, {extra} extra copies"


# 7


@contextlib.contextmanager
def healthy(**options):
    """Give a site of two beats, two workers and a loop, without faults, once it sends."""
    with site(lease_seconds=60, send_seconds=20, **options) as running:
        for number in range(2):
            running.worker(f"worker-{number}")
            running.beat(f"beat-{number}")
        running.loop("loop")
        yield running


def check_doubled(running, *, messages):
    """Two beats, two workers and a loop at once, no faults: nothing lost, nothing twice."""
    wanted = make_messages(messages, named="doubled")
    wait_for_all("doubled")
    time.sleep(1)
    assert copies(running, wanted) == 0
    return f"{messages:,} messages with two beats, two workers and a loop: 0 lost, 0 twice"


# 8


def check_broker_and_database(*, rounds, messages, restart_database, redis=True):
    """The broker goes down, is wiped, the database restarts, each in the midst of sending: nothing is lost."""
    source = random.Random(8)
    with site(redis=redis) as running:
        running.worker("worker")
        running.beat("beat")
        running.rules(delay=0.05)
        faults = {
            "broker down": lambda: (running.kill("broker"), time.sleep(source.uniform(0.5, 2)), running.start_broker()),
            "broker wiped": running.wipe_broker,
            "database restarted": restart_database,
        }
        for number in range(rounds):
            for fault, bring_about in faults.items():
                named = f"{fault} {number}"
                wanted = make_messages(messages, named=named)
                time.sleep(source.uniform(0.5, 2.5))
                bring_about()
                wait_until(
                    lambda named=named: running.revive() or not waiting(named),
                    why=lambda named=named: f"{waiting(named)} still wait after: {fault}",
                )
                copies(running, wanted)
    return f"broker down, broker wiped, database restarted, {rounds} times each: 0 lost"


def end_connections():
    """End every other connection to this database, as a restart of the server does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


# 9


REFUSED_SHARE = 0.02
USUAL_SHARES = {"busy": 0.1, "hung": 0.02, "dripping": 0.01}


def check_bad_mail_server(*, messages, send_seconds, lease_seconds, seconds=None, shares=USUAL_SHARES):
    """Part of the mails is refused for now, for good, hung or dripped: all others arrive, refusals show.

    With `seconds` (the full count) they arrive in that time and no slot is held for longer than a send may take.
    """
    with site(send_seconds=send_seconds, lease_seconds=lease_seconds) as running:
        wanted = make_messages(messages, named="bad")
        refused = set(sorted(wanted)[: round(messages * REFUSED_SHARE)])
        running.rules(refused=[*refused], **shares)
        running.worker("worker", concurrency=4)
        running.beat("beat")
        began = time.monotonic()
        while waiting("bad"):
            assert time.monotonic() - began < (seconds or PATIENCE_SECONDS), f"{waiting('bad')} still wait"
            time.sleep(0.5)
            # A pause after a failure is not what is tested where there is little time.
            if seconds is None:
                Message.objects.filter(state="pending", attempts__gt=0).update(retry_at=timezone.now())
        took = time.monotonic() - began
        failed = batch("bad").filter(state="failed")
        assert {message_id(row) for row in failed} == refused
        assert all("550" in row.problem for row in failed)
        assert copies(running, wanted - refused) == 0
        held = running.held()
        assert held
        longest = max(row["seconds"] for row in held)
        assert seconds is None or longest <= send_seconds + 2, f"a slot was held {longest:.1f} s"
        return (
            f"{messages:,} messages, {len(held)} hung or dripping, {len(failed)} refused and visible: the others within "
            f"{took:.0f} s, no slot held longer than {longest:.1f} s"
        )


# 10


def check_three_days_down(start, *, messages):
    """Nothing was sent for three days: the stale is dropped, the rest is at most one mail a person."""
    past = timezone.now() - 3 * DAY
    stale = make_messages(messages, named="stale", due=past, spread=2 * 86_400, expires=timezone.now() - DAY / 24)
    useful = make_messages(messages, named="useful", due=past, spread=2 * 86_400, expires=timezone.now() + DAY)
    with start() as running:
        for named in ("useful", "stale"):
            wait_for_all(named)
        digests = Message.objects.filter(type="digest", state__in=OPEN_STATES)
        wait_until(lambda: not digests.exists(), why="digests still wait")
        time.sleep(2)
        check_caught_up(running, stale=stale, useful=useful)
    return f"three days down, {2 * messages} messages: nothing stale sent, one digest each for {PEOPLE} people"


def check_caught_up(running, *, stale, useful):
    sent = running.accepted()
    assert sent
    assert not {row["id"] for row in sent} & (stale | useful)
    people = [row["to"][0] for row in sent]
    assert len(people) == len(set(people)) == PEOPLE
    assert set(batch("stale").values_list("state", flat=True)) == {"dropped"}
    assert set(batch("useful").values_list("state", flat=True)) == {"merged"}
    assert set(Message.objects.filter(type="digest").values_list("state", flat=True)) == {"sent"}


# 11


def check_wrong_clocks(*, messages, skew=600):
    """Workers whose clocks are ten minutes fast and slow: nothing early, nothing twice, nothing kept back."""
    with site() as running:
        running.beat("beat", skew=skew)
        running.worker("worker-fast", skew=skew)
        running.worker("worker-slow", skew=-skew)
        running.loop("loop-fast", skew=skew)
        running.rules(delay=0.1)
        begin = timezone.now() + dt.timedelta(seconds=5)
        wanted = make_messages(messages, named="soon", due=begin, spread=2)
        later = make_messages(PEOPLE, named="later", due=begin + dt.timedelta(minutes=5))
        wait_for_all("soon")
        assert copies(running, wanted) == 0
        due = {message_id(row): row.due_at.timestamp() for row in batch("soon")}
        early = [row for row in running.accepted() if row["at"] < due.get(row["id"], 0)]
        assert not early
        time.sleep(running.lease_seconds / 2)
        assert copies(running, wanted) == 0
        assert not {row["id"] for row in running.accepted()} & later
    return f"clocks {skew // 60} minutes fast and slow, {messages} messages: nothing early, nothing twice"


# 12


def check_lateness(running, *, messages, spread, limit_seconds=None):
    """A healthy site: how long after it is due a message is with the mail server, at the 99th percentile."""
    # What starts up is not healthy yet.
    make_messages(PEOPLE, named="warm")
    wait_for_all("warm")
    make_messages(messages, named="late", due=timezone.now() + dt.timedelta(seconds=1), spread=spread)
    wait_for_all("late")
    due = {message_id(row): row.due_at.timestamp() for row in batch("late")}
    late = sorted(row["at"] - due[row["id"]] for row in running.accepted() if row["id"] in due)
    assert len(late) == messages
    assert late[0] >= 0
    percentile = late[int(0.99 * (len(late) - 1))]
    assert limit_seconds is None or percentile <= limit_seconds, f"p99 {percentile:.1f} s"
    return f"{messages:,} messages over {spread:.0f} s: p50 {late[len(late) // 2]:.1f} s, p99 {percentile:.1f} s late"


@pytest.fixture
def database(transactional_db):
    with contextlib.closing(connection):
        yield


def test_messages_survive_killed_workers(database):
    check_kills(messages=120, kills=5)


def test_a_lost_broker_and_a_restarted_database_lose_nothing(database):
    check_broker_and_database(rounds=1, messages=20, restart_database=end_connections)


def test_a_bad_mail_server_holds_up_nobody_else(database):
    shares = {"busy": 0.1, "hung": 0.05, "dripping": 0.05}
    check_bad_mail_server(messages=100, send_seconds=2.0, lease_seconds=6.0, shares=shares)


def test_workers_with_wrong_clocks_send_nothing_early(database):
    check_wrong_clocks(messages=40)


def test_three_days_down_are_one_mail_a_person_and_a_healthy_site_sends_once_and_in_time(database):
    @contextlib.contextmanager
    def start():
        # One start for three promises; the broker of `make run`.
        with healthy(redis=False) as running:
            yield running
            check_doubled(running, messages=100)
            check_lateness(running, messages=40, spread=4.0)

    check_three_days_down(start, messages=40)
