"""What a process keeps in memory between requests."""

from common.response_cache import RESPONSE_CACHE
from oncall_site.views import now, now_parts
from scheduling.views import boards


def clear_memory():
    """Forget the answers of the API and the parts of pages."""
    for cache in (
        RESPONSE_CACHE, now.FRAGMENTS, now_parts.ALERTS, now_parts.PIPELINES, now_parts.ROTATIONS, boards.TEXTS, boards.LAYOUTS,
    ):  # fmt: skip
        cache.clear()
