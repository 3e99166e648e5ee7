"""Static files of `make run`: each has a hash of its content in its address, so that browsers can cache it for good.

The container image collects its files once, at build time. `make run` collects nothing, to keep the first start short:
a hash is computed when a page first needs it. Edited files have a new address after a restart.
"""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest
from whitenoise.middleware import WhiteNoiseMiddleware

DIGEST_LENGTH = 12
HASHED_NAME = re.compile(rf"(?P<stem>.+)\.[0-9a-f]{{{DIGEST_LENGTH}}}(?P<extension>\.\w+)")


@cache
def hashed_name(name: str) -> str:
    """Return a static file's name with the hash of its content before the extension; unchanged if there is no such file."""
    path = finders.find(name)
    if not isinstance(path, str) or not Path(path).is_file():
        return name
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:DIGEST_LENGTH]
    stem, dot, extension = name.rpartition(".")
    return f"{stem}.{digest}{dot}{extension}" if dot else name


class HashedStorage(StaticFilesStorage):
    """Storage that adds a hash to the names of files."""

    def url(self, name: str | None) -> str:
        """Return a file's address."""
        return super().url(hashed_name(name) if name else name)


class HashedFilesMiddleware(WhiteNoiseMiddleware):
    """Serves files by the names that HashedStorage gives them, with headers that let browsers cache them for good."""

    def __call__(self, request: HttpRequest) -> Any:  # type: ignore[override]  # as middleware, it takes only a request
        """Answer with a static file, or pass the request on."""
        url = request.path_info
        if url.startswith(self.static_prefix) and url not in self.files:
            self._add(url)
        return super().__call__(request)  # type: ignore[no-untyped-call]  # missing in its stubs

    def _add(self, url: str) -> None:
        name = url.removeprefix(self.static_prefix)
        match = HASHED_NAME.fullmatch(name)
        plain = match["stem"] + match["extension"] if match else ""
        # Only names that the site has published are cached.
        if plain and self.static_prefix + plain in self.files and hashed_name(plain) == name:
            self.add_file_to_dictionary(url, str(finders.find(plain)))  # type: ignore[no-untyped-call]  # as above

    def immutable_file_test(self, path: str, url: str) -> bool:
        """Return True for an address whose content never changes."""
        name = url.removeprefix(self.static_prefix)
        match = HASHED_NAME.fullmatch(name)
        return match is not None and hashed_name(match["stem"] + match["extension"]) == name
