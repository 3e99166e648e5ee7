"""The caches of a process: API responses, boards of Schedule, and parts of Now."""

from common.response_cache import RESPONSE_CACHE
from oncall_site.views import now, now_parts
from scheduling.views import boards


def clear_memory():
    """Empty all caches, so that the next response is computed again."""
    caches = (RESPONSE_CACHE, now.FRAGMENTS, now_parts.ALERTS, now_parts.PIPELINES, now_parts.ROTATIONS)
    for cache in (*caches, boards.TEXTS, boards.LAYOUTS):
        cache.clear()
