"""The folder of messages: whoever reads it finds whole messages only."""

import threading
from queue import Empty

import pytest
from django.conf import settings
from kombu import Connection

from oncall_site import broker, embedded


def connection_to(tmp_path):
    options = {**embedded.broker_folders(var=tmp_path), "polling_interval": 0.01}
    return Connection(broker.register(), transport_options=options)


def test_messages_written_while_they_are_read_are_whole_and_each_comes_once(tmp_path):
    wanted, read, problems = 400, [], []
    text = "x" * 20_000

    def write(first):
        with connection_to(tmp_path) as connection, connection.SimpleQueue("queue") as queue:
            for number in range(first, first + wanted // 2):
                queue.put({"number": number, "text": text})

    def take():
        with connection_to(tmp_path) as connection, connection.SimpleQueue("queue") as queue:
            while len(read) < wanted and not problems:
                try:
                    message = queue.get(timeout=5)
                except Empty:
                    return
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


def test_a_message_that_is_being_written_is_not_seen(tmp_path):
    with connection_to(tmp_path) as connection:
        channel = connection.channel()
        (tmp_path / "broker" / "queue" / "1_half.queue.msg.part").write_text('{"half":')
        channel._put("queue", {"number": 1})
        assert channel._get("queue") == {"number": 1}
        with pytest.raises(Empty):
            channel._get("queue")


def test_without_redis_the_site_uses_it():
    assert f"{broker.SCHEME}://localhost" == settings.CELERY_BROKER_URL
