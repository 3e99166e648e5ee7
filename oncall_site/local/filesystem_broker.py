"""Broker of `make run`: kombu's filesystem transport with atomic writes, which sets damaged files aside."""

import fcntl
import logging
import os
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
# Routing key, pattern and queue.
BINDING_FIELDS = 3


class Channel(filesystem.Channel):
    """Writes files atomically. Damaged files are only wake-ups, which beat repeats: they are set aside."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu’s two definitions differ
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        final = Path(self.data_folder_out) / name
        partial = final.with_name(f"{name}.part")
        try:
            partial.write_bytes(str_to_bytes(dumps(payload)))
            os.replace(partial, final)  # noqa: PTH105  # atomic, also if the target exists
        except OSError:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise

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

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:  # type: ignore[override]  # the stubs are incomplete
        """Deliver one message; raise TimeoutError if there is none in time.

        Listing an empty folder takes a fiftieth of the time of asking each queue of each channel for its messages.
        """
        client: Any = self.client
        channels: Any = self.cycle
        folder = client.transport_options["data_folder_in"]
        until = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            if any(name.endswith(".msg") for name in os.listdir(folder)):  # noqa: PTH208  # pathlib takes ten times as long
                with suppress(Empty):
                    channels.get(self._deliver, timeout=timeout)
                    return
            if (left := until - time.monotonic()) <= 0:
                raise TimeoutError
            time.sleep(min(self.polling_interval or 0.0, left))


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
    return {name: str(folder) for name, folder in folders.items()}
