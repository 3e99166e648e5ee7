"""What a process keeps in memory between requests."""

from common.response_cache import RESPONSE_CACHE
from common.version_cache import VersionCache
from oncall_site.views import now, now_parts
from scheduling.views import boards

CACHES = (
    (now, "FRAGMENTS"),
    (now_parts, "ALERTS"),
    (now_parts, "PIPELINES"),
    (now_parts, "ORDER"),
    (now_parts, "ROTATIONS"),
    (boards, "TEXTS"),
    (boards, "LAYOUTS"),
)


ORIGINALS = [(module, name, getattr(module, name)) for module, name in CACHES]


def clear_memory():
    """Forget the answers of the API and the parts of pages. Use the caches of the site, not those of `empty_memory`."""
    RESPONSE_CACHE.clear()
    restore_memory(ORIGINALS)
    for module, name in CACHES:
        getattr(module, name).clear()


def empty_memory(*names):
    """Replace the caches of pages, or those with these names, with empty ones. Return the previous ones."""
    previous = [(module, name, getattr(module, name)) for module, name in CACHES if name in names or not names]
    for module, name, _ in previous:
        setattr(module, name, VersionCache(max_bytes=10**6, size=lambda _: 1))
    return previous


def restore_memory(previous):
    """Use the caches again that `empty_memory` returned."""
    for module, name, cache in previous:
        setattr(module, name, cache)
