"""The filesystem broker delivers whole messages only."""

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
    with connection_to(tmp_path) as connection:
        channel = connection.channel()
        (tmp_path / "broker" / "queue" / "1_half.queue.msg.part").write_text('{"half":')
        channel._put("queue", {"number": 1})
        assert channel._get("queue") == {"number": 1}
        with pytest.raises(Empty):
            channel._get("queue")


def test_the_site_uses_it_without_redis():
    assert f"{filesystem_broker.SCHEME}://localhost" == settings.CELERY_BROKER_URL
