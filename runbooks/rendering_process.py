"""TEMP."""

from runbooks.engine.rendering import Rendered, render


class RunbookTooLarge(Exception): ...


class RenderingTimedOut(Exception): ...


def render_safely(markdown: str, *, limit_seconds: float = 2.0) -> Rendered:
    if len(markdown.encode("utf-8", "replace")) > 65536:
        raise RunbookTooLarge("too large")
    return render(markdown)
