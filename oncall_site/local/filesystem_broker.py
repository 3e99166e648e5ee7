"""Broker of `make run`: kombu's filesystem transport with atomic writes."""

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps

SCHEME = "wholefiles"


class Channel(filesystem.Channel):
    """Writes messages to a temporary file and renames it, so that no reader sees half a message."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu’s two definitions differ
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        final = Path(self.data_folder_out) / name
        partial = final.with_name(f"{name}.part")
        partial.write_bytes(str_to_bytes(dumps(payload)))
        os.replace(partial, final)  # noqa: PTH105  # atomic, also if the target exists

    def _queue_bind(self, exchange: str, *binding: Any) -> None:
        self._create_table(self._exchange_file(exchange))  # type: ignore[attr-defined]  # not in its stubs
        super()._queue_bind(exchange, *binding)

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


class Transport(filesystem.Transport):
    """Kombu's filesystem transport with atomic writes."""

    Channel = Channel


def register() -> str:
    """Register the transport with kombu; return its broker URL."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
    return f"{SCHEME}://localhost"


def broker_folders(*, var: Path) -> dict[str, str]:
    """Create the folders below `var/broker`; return kombu's transport options for them."""
    folders = {
        "data_folder_in": var / "broker" / "queue",
        "data_folder_out": var / "broker" / "queue",
        "control_folder": var / "broker" / "control",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {name: str(folder) for name, folder in folders.items()}
