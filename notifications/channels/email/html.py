"""The HTML part of a mail: the message's text, which may use Markdown, as sanitised HTML."""

import re
import threading

import markdown
import nh3
from django.utils.html import linebreaks, urlize
from django.utils.safestring import mark_safe

# Python-Markdown needs quadratic time or more for some texts, so longer ones keep their line breaks only.
MAX_MARKDOWN_LENGTH = 2_000
BARE_URL = re.compile(r"(?<![(<\w])https?://[^\s<>]+[^\s<>.,;:!?)]")
TAGS = {"a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "hr", "li", "ol", "p", "pre", "strong", "ul"}

# Building a converter takes longer than converting a message. It is not thread-safe, so each thread has its own.
_converters = threading.local()


def mail_html(text: str) -> str:
    """Return safe HTML. Tags in the text are shown as typed; links are limited to http, https and mailto."""
    if len(text) <= MAX_MARKDOWN_LENGTH:
        source = BARE_URL.sub(r"<\g<0>>", text.replace("&", "&amp;").replace("<", "&lt;"))
        try:
            html = _converter().convert(source)
        except RecursionError:
            pass  # nested too deeply: shown as plain text
        else:
            return mark_safe(  # noqa: S308  # nosec B308 B703  # sanitised here
                nh3.clean(html, tags=TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"})
            )
    return linebreaks(urlize(text, autoescape=True), autoescape=False)


def _converter() -> markdown.Markdown:
    """Return this thread's converter, after a reset."""
    if not hasattr(_converters, "own"):
        _converters.own = markdown.Markdown(extensions=["nl2br", "sane_lists"])  # type: ignore[no-untyped-call]
    converter: markdown.Markdown = _converters.own
    return converter.reset()
