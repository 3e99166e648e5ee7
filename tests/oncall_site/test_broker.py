"""The filesystem broker delivers whole messages only."""

import os
import threading
import time
from queue import Empty

import pytest
from django.conf import settings
from kombu import Connection

from oncall_site.local import filesystem_broker
from tests.waiting import PATIENCE_SECONDS


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
