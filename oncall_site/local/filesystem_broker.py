"""The broker of `make run`: kombu's folder of files, in which a message appears whole or not at all."""

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
    """Writes a file beside its place and moves it in; kombu's own lets a busy machine's reader find it half written."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu’s own two differ
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        final = Path(self.data_folder_out) / name
        partial = final.with_name(f"{name}.part")
        partial.write_bytes(str_to_bytes(dumps(payload)))
        os.replace(partial, final)  # noqa: PTH105  # one step, also where the name is taken

    def _queue_bind(self, exchange: str, *binding: Any) -> None:
        self._begin_table(self._exchange_file(exchange))  # type: ignore[attr-defined]  # not in its stubs
        super()._queue_bind(exchange, *binding)

    def _begin_table(self, table: Path) -> None:
        """An exchange's first two users at once: kombu opens its empty table before it locks it, and the other reads it."""
        if table.exists():
            return
        table.parent.mkdir(exist_ok=True)
        empty = table.with_name(f"{table.name}.{uuid.uuid4()}.part")
        empty.write_text("[]", encoding="utf-8")
        with suppress(FileExistsError):
            table.hardlink_to(empty)
        empty.unlink()


class Transport(filesystem.Transport):
    """Kombu's file-system transport with messages that are whole."""

    Channel = Channel


def register() -> str:
    """Make the transport known to kombu; return its address."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
    return f"{SCHEME}://localhost"


def broker_folders(*, var: Path) -> dict[str, str]:
    """Return kombu's file-system transport options, with folders made below `var/broker`."""
    folders = {
        "data_folder_in": var / "broker" / "queue",
        "data_folder_out": var / "broker" / "queue",
        "control_folder": var / "broker" / "control",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {name: str(folder) for name, folder in folders.items()}
