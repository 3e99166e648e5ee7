"""Broker of `make run`: kombu's filesystem transport with atomic writes, which sets damaged files aside."""

import fcntl
import logging
import math
import os
import select
import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

SCHEME = "wholefiles"
# A temporary file that is older was left by a killed process.
PARTIAL_FILE_SECONDS = 60
# A process that waits looks at the folder this often, even if no bell rings: another one may have heard the bell first.
MAX_WAIT_SECONDS = 2.0
# More than messages between two looks.
BELL_BYTES = 4096
# Routing key, pattern and queue.
BINDING_FIELDS = 3


class Bell:
    """A named pipe that tells waiting processes of a message. Without the pipe, they look at the folder themselves."""

    def __init__(self, data_folder: str) -> None:
        self._path = bell_path(Path(data_folder).parent)
        self._descriptor: int | None = None

    def ring(self) -> None:
        """Tell the processes that wait; nobody may be waiting."""
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(descriptor, b".")
            finally:
                os.close(descriptor)

    def wait(self, *, seconds: float) -> None:
        """Wait until the bell rings, at most this long."""
        seconds = min(seconds, MAX_WAIT_SECONDS)
        if self._descriptor is None:
            # Opened for writing too, the pipe does not end when a writer closes it. A file is always readable, so nobody would wait.
            with suppress(OSError):
                if self._path.is_fifo():
                    self._descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        if self._descriptor is None:
            time.sleep(seconds)
            return
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        if poll.poll(math.ceil(seconds * 1000)):
            with suppress(BlockingIOError):
                os.read(self._descriptor, BELL_BYTES)

    def close(self) -> None:
        """Stop listening."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Channel(filesystem.Channel):
    """Writes files atomically. Damaged files are only wake-ups, which beat repeats: they are set aside."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu’s two definitions differ
        name = f"{time.monotonic_ns()}_{uuid.uuid4()}.{queue}.msg"
        final = Path(self.data_folder_out) / name
        partial = final.with_name(f"{name}.part")
        try:
            partial.write_bytes(str_to_bytes(dumps(payload)))
            os.replace(partial, final)  # noqa: PTH105  # atomic, also if the target exists
        except OSError:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise
        Bell(self.data_folder_out).ring()

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Return the oldest readable message of a queue; raise Empty if there is none."""
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):  # noqa: PTH208  # pathlib takes ten times as long
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            claimed = folder / f"{name}.part"
            try:
                (folder / name).rename(claimed)
                content = claimed.read_bytes()
            except OSError:
                continue  # Another process was faster.
            try:
                message = loads(bytes_to_str(content))
                properties = message["properties"]
                self.decode_body(message["body"], properties.get("body_encoding"))
                _ = properties["delivery_tag"], properties["delivery_info"]["exchange"], message["headers"].items()
            except (ValueError, LookupError, TypeError, AttributeError):
                self._set_aside(claimed, name=name)
                continue
            claimed.unlink(missing_ok=True)
            return message
        raise Empty

    def get_table(self, exchange: str) -> Any:
        """Return the bindings of an exchange; replace a damaged table with this process's own bindings."""
        table = self._exchange_file(exchange)  # type: ignore[attr-defined]  # missing in its stubs
        if self._discard_damaged_table(table):
            for binding in list(self.state.bindings or ()):
                if binding.exchange == exchange:
                    self._queue_bind(
                        exchange,
                        *self.typeof(exchange).prepare_bind(binding.queue, exchange, binding.routing_key, None),
                    )
        return super().get_table(exchange)

    def _queue_bind(self, exchange: str, *binding: Any) -> None:
        table = self._exchange_file(exchange)  # type: ignore[attr-defined]  # missing in its stubs
        self._discard_damaged_table(table)
        self._create_table(table)
        super()._queue_bind(exchange, *binding)

    def _discard_damaged_table(self, table: Path) -> bool:
        """Set an exchange's table aside if it is not a list of bindings; return True if it was damaged."""
        try:
            with table.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                rows = loads(bytes_to_str(file.read()))
            if isinstance(rows, list) and all(isinstance(row, list) and len(row) == BINDING_FIELDS for row in rows):
                return False
        except FileNotFoundError:
            return False
        except ValueError:
            pass
        self._set_aside(table, name=table.name)
        return True

    def _create_table(self, table: Path) -> None:
        """Create an exchange's table atomically: kombu opens it before locking it, and another process may read it empty."""
        if table.exists():
            return
        table.parent.mkdir(exist_ok=True)
        empty = table.with_name(f"{table.name}.{uuid.uuid4()}.part")
        empty.write_text("[]", encoding="utf-8")
        with suppress(FileExistsError):
            table.hardlink_to(empty)
        empty.unlink()

    def _set_aside(self, path: Path, *, name: str) -> None:
        damaged = Path(self.data_folder_in).parent / "damaged"
        damaged.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            path.rename(damaged / name)
        logger.warning("Moved a damaged file of the broker to %s.", damaged / name)


class Transport(filesystem.Transport):
    """Kombu's filesystem transport with atomic writes."""

    Channel = Channel

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self._bell = Bell(client.transport_options["data_folder_in"])

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:  # type: ignore[override]  # the stubs are incomplete
        """Deliver one message; raise TimeoutError if there is none in time.

        Listing an empty folder takes a fiftieth of the time of asking each queue of each channel for its messages.
        """
        client: Any = self.client
        channels: Any = self.cycle
        folder = client.transport_options["data_folder_in"]
        until = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            is_waiting = any(name.endswith(".msg") for name in os.listdir(folder))  # noqa: PTH208  # pathlib takes ten times as long
            if is_waiting:
                with suppress(Empty):
                    channels.get(self._deliver, timeout=timeout)
                    return
            if (left := until - time.monotonic()) <= 0:
                raise TimeoutError
            if is_waiting:
                # This process must first finish what it has.
                time.sleep(min(self.polling_interval or 0.0, left))
            else:
                self._bell.wait(seconds=left)

    def close_connection(self, connection: Any) -> None:
        """Close the connection and stop listening."""
        super().close_connection(connection)
        self._bell.close()


def register() -> str:
    """Register the transport with kombu; return its broker URL."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
    return f"{SCHEME}://localhost"


def broker_folders(*, var: Path) -> dict[str, str]:
    """Create the folders below `var/broker` and delete old temporary files; return kombu's transport options."""
    folders = {
        "data_folder_in": var / "broker" / "queue",
        "data_folder_out": var / "broker" / "queue",
        "control_folder": var / "broker" / "control",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
        for partial in folder.glob("*.part"):
            with suppress(OSError):
                if time.time() - partial.stat().st_mtime > PARTIAL_FILE_SECONDS:
                    partial.unlink()
    # A file system without named pipes is searched more often than needed, and that is all.
    with suppress(OSError):
        os.mkfifo(bell_path(var / "broker"), mode=0o600)
    return {name: str(folder) for name, folder in folders.items()}


def bell_path(broker: Path) -> Path:
    """Return the path of the pipe in the broker's folder."""
    return broker / "bell"
