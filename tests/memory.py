"""The memories of a process: answers, boards, and the parts of Now."""

from common.response_cache import RESPONSE_CACHE
from oncall_site.views import now, now_parts
from scheduling.views import boards


def clear_memory():
    """Empty all memories, so that the next answer is a new one."""
    memories = (RESPONSE_CACHE, now.FRAGMENTS, now_parts.ALERTS, now_parts.PIPELINES, now_parts.ROTATIONS)
    for memory in (*memories, boards.TEXTS, boards.LAYOUTS):
        memory.clear()
