"""The filesystem broker delivers whole messages only."""

import contextlib
import os
import resource
import threading
import time
from queue import Empty

import pytest
from django.conf import settings
from kombu import Connection

from oncall_site.local import filesystem_broker
from tests.waiting import PATIENCE_SECONDS, wait_until


def connection_to(tmp_path):
    options = {**filesystem_broker.broker_folders(var=tmp_path), "polling_interval": 0.01}
    return Connection(filesystem_broker.register(), transport_options=options)


def test_concurrent_messages_arrive_whole_and_once(tmp_path):
    wanted, read, problems = 400, [], []
    text = "x" * 20_000
    deadline = time.monotonic() + PATIENCE_SECONDS
    with connection_to(tmp_path) as connection, connection.SimpleQueue("queue"):
        pass  # the queue is there first: threads of one process share what kombu thinks is bound already

    def write(first):
        with connection_to(tmp_path) as connection, connection.SimpleQueue("queue") as queue:
            for number in range(first, first + wanted // 2):
                queue.put({"number": number, "text": text})

    def take():
        with connection_to(tmp_path) as connection, connection.SimpleQueue("queue") as queue:
            while len(read) < wanted and not problems and time.monotonic() < deadline:
                try:
                    message = queue.get(timeout=0.2)
                except Empty:
                    continue
                except ValueError as error:
                    problems.append(error)
                    return
                message.ack()
                read.append(message.payload["number"])

    threads = [threading.Thread(target=write, args=(0,)), threading.Thread(target=write, args=(wanted // 2,))]
    threads += [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert sorted(read) == list(range(wanted))


def test_two_processes_can_create_an_exchange_at_once(tmp_path):
    problems = []

    def bind(number):
        try:
            with connection_to(tmp_path) as connection:
                barrier.wait()
                connection.channel()._queue_bind("exchange", "key", "", f"queue{number}")
        except ValueError as error:
            problems.append(error)

    for trial in range(50):
        barrier = threading.Barrier(4)
        threads = [threading.Thread(target=bind, args=(4 * trial + number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        with connection_to(tmp_path) as connection:
            table = connection.channel().get_table("exchange")
            assert {row.queue for row in table} == {f"queue{4 * trial + number}" for number in range(4)}
            connection.channel()._exchange_file("exchange").unlink()
    assert problems == []


def test_a_partial_message_is_not_delivered(tmp_path):
    with connection_to(tmp_path) as connection, connection.SimpleQueue("partial") as queue:
        (tmp_path / "broker" / "queue" / "1_half.partial.msg.part").write_text('{"half":')
        queue.put({"number": 1})
        assert take(queue) == {"number": 1}
        with pytest.raises(Empty):
            queue.get(timeout=0.1)


def test_the_site_uses_it_without_redis():
    assert f"{filesystem_broker.SCHEME}://localhost" == settings.CELERY_BROKER_URL


JUNK = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"body": "x"}',
    b'{"body": "!", "headers": {}, "properties": {"body_encoding": "base64"}}',
]


def take(queue):
    message = queue.get(timeout=5)
    message.ack()
    return message.payload


def test_damaged_messages_are_set_aside_and_the_next_one_is_delivered(tmp_path):
    with connection_to(tmp_path) as connection, connection.SimpleQueue("junk") as queue:
        for number, content in enumerate(JUNK):
            (tmp_path / "broker" / "queue" / f"0{number}_x.junk.msg").write_bytes(content)
        queue.put({"number": 1})
        assert take(queue) == {"number": 1}
    assert len(list((tmp_path / "broker" / "damaged").iterdir())) == len(JUNK)
    assert list((tmp_path / "broker" / "queue").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"[", b"{}", b"[[1]]"])
def test_a_damaged_exchange_table_is_rebuilt(tmp_path, content):
    # Kombu remembers bindings for the whole process, so each case has a queue of its own.
    name = f"damaged-{len(content)}"
    table = tmp_path / "broker" / "control" / f"{name}.exchange"
    with connection_to(tmp_path) as connection, connection.SimpleQueue(name) as queue:
        table.write_bytes(content)
        queue.put({"number": 1})
        assert take(queue) == {"number": 1}
    with connection_to(tmp_path) as connection:
        table.write_bytes(content)
        with connection.SimpleQueue(name) as queue:
            queue.put({"number": 2})
            assert take(queue) == {"number": 2}


def test_old_temporary_files_are_deleted(tmp_path):
    folder = tmp_path / "broker" / "queue"
    filesystem_broker.broker_folders(var=tmp_path)
    old, new = folder / "1.part", folder / "2.part"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    filesystem_broker.broker_folders(var=tmp_path)
    assert list(folder.iterdir()) == [new]


@pytest.fixture
def one_listener(tmp_path):
    """A connection whose queue another thread waits for, and the messages that it has received.

    The queue has another name in each test: kombu remembers for the whole process which queues are bound, whatever their folder.
    """
    received, is_waiting, is_ending = [], threading.Event(), threading.Event()

    def listen():
        with connection_to(tmp_path) as connection, connection.SimpleQueue(tmp_path.name) as queue:
            with pytest.raises(Empty):
                queue.get(timeout=0.01)
            is_waiting.set()
            while not is_ending.is_set():
                with contextlib.suppress(Empty):
                    message = queue.get(timeout=PATIENCE_SECONDS)
                    message.ack()
                    received.append(message.payload)

    thread = threading.Thread(target=listen)
    thread.start()
    assert is_waiting.wait(PATIENCE_SECONDS)
    with connection_to(tmp_path) as connection, connection.SimpleQueue(tmp_path.name) as queue:
        yield queue, received
        is_ending.set()
        queue.put("end")
    thread.join()


def test_a_message_wakes_up_who_waits_for_it(monkeypatch, one_listener):
    monkeypatch.setattr(filesystem_broker, "MAX_WAIT_SECONDS", 10 * PATIENCE_SECONDS)
    queue, received = one_listener
    for number in range(1, 20):
        queue.put(number)
        wait_until(lambda: len(received) == number, every=0.005)
    assert received == list(range(1, 20))


def test_without_the_pipe_messages_arrive_too(monkeypatch, tmp_path, one_listener):
    monkeypatch.setattr(filesystem_broker, "MAX_WAIT_SECONDS", 0.05)
    (tmp_path / "broker" / "bell").unlink()
    queue, received = one_listener
    queue.put("first")
    wait_until(lambda: received, every=0.01)
    assert received == ["first"]


def test_a_bell_that_nobody_hears_holds_nobody_up(tmp_path):
    filesystem_broker.broker_folders(var=tmp_path)
    listener, sender = (filesystem_broker.Bell(str(tmp_path / "broker" / "queue")) for _ in range(2))
    sender.ring()
    listener.wait(seconds=0.01)
    writer = os.open(tmp_path / "broker" / "bell", os.O_WRONLY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 4096)
    sender.ring()
    with pytest.raises(BlockingIOError):
        os.write(writer, b"." * 4096)
    os.close(writer)
    listener.wait(seconds=PATIENCE_SECONDS)
    listener.close()
    listener.close()
    sender.ring()


def test_the_bell_is_heard_in_a_process_with_many_open_files(tmp_path):
    filesystem_broker.broker_folders(var=tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(2048, limits[0]), limits[1]))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1024)]
    bell = filesystem_broker.Bell(str(tmp_path / "broker" / "queue"))
    try:
        bell.wait(seconds=0.01)
        bell.ring()
        bell.wait(seconds=PATIENCE_SECONDS)
    finally:
        bell.close()
        for one in files:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_file_in_place_of_the_pipe_keeps_nobody_busy(monkeypatch, tmp_path):
    """A copy of the folder may have a file there."""
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "bell").write_bytes(b"")
    filesystem_broker.broker_folders(var=tmp_path)
    slept = []
    monkeypatch.setattr(filesystem_broker.time, "sleep", slept.append)
    bell = filesystem_broker.Bell(str(tmp_path / "broker" / "queue"))
    bell.ring()
    bell.wait(seconds=0.01)
    assert slept == [0.01]


def test_a_message_beyond_the_prefetch_limit_waits_for_the_acknowledgement_of_another(tmp_path):
    with (
        connection_to(tmp_path) as connection,
        connection.channel() as channel,
        connection.SimpleQueue(tmp_path.name) as queue,
    ):
        queue.put("first")
        queue.put("second")
        received = []
        channel.basic_qos(0, 1, False)
        consumer = connection.Consumer(queue.queue, channel=channel, on_message=received.append, no_ack=False)
        with consumer:
            connection.drain_events(timeout=PATIENCE_SECONDS)
            with pytest.raises(TimeoutError):
                connection.drain_events(timeout=0.05)
            received[0].ack()
            connection.drain_events(timeout=PATIENCE_SECONDS)
            received[1].ack()
        assert [message.payload for message in received] == ["first", "second"]
