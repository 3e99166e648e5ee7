"""Reader links and notes, and the page that they share."""

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError
from common.loops import IsolatedSteps
from people.models import User
from people.queries import secret_digest
from pipelines.models import Pipeline
from readiness.models import MAX_NOTE_LENGTH, ReaderNote, ReadersLink
from readiness.queries.readers import link_by_secret
from readiness.services import page_memory

LINK_PREFIX = "read_"
MAX_LINKS = 100
# Maximum age of a stored page, which a worker renders every minute.
MAX_PAGE_AGE = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class NewLink:
    """A new link with the secret of its URL, which is shown only once."""

    link: ReadersLink
    secret: str


@transaction.atomic
def create_link(*, name: str, pipelines: Sequence[Pipeline], by: User) -> NewLink:
    """Create a reader link. Raise InvalidInputError without a name or pipeline, and DomainError at the limit of 100 links."""
    problems = {}
    if not name.strip():
        problems["name"] = ["Enter a name."]
    if not pipelines:
        problems["pipelines"] = ["Choose at least one pipeline."]
    if problems:
        raise InvalidInputError(problems)
    if ReadersLink.objects.usable().count() >= MAX_LINKS:
        raise DomainError(f"There are {MAX_LINKS} reader links. Revoke one before you create another.")
    secret = LINK_PREFIX + secrets.token_urlsafe(32)
    link = ReadersLink.objects.create(
        name=name.strip(), prefix=secret[: len(LINK_PREFIX) + 6], digest=secret_digest(secret), created_by=by
    )
    link.pipelines.set(pipelines)
    return NewLink(link, secret)


@transaction.atomic
def revoke_link(link: ReadersLink, *, by: User, at: dt.datetime) -> None:
    """Revoke a reader link: its page stops working at once, and its subscribers are no longer notified."""
    ReadersLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=at, revoked_by=by, html="")
    page_memory.pages.forget(link.digest)
    page_memory.announce_revoked(link.digest)


def write_note(pipeline: Pipeline, *, text: str, by: User, at: dt.datetime) -> None:
    """Write the note that readers see about a pipeline; an empty note removes it. Raise InvalidInputError if it is too long."""
    text = " ".join(text.split())
    if len(text) > MAX_NOTE_LENGTH:
        raise InvalidInputError({"text": [f"At most {MAX_NOTE_LENGTH} characters."]})
    if not text:
        ReaderNote.objects.filter(pipeline=pipeline).delete()
        return
    ReaderNote.objects.update_or_create(pipeline=pipeline, defaults={"text": text, "written_by": by, "written_at": at})


def store_pages(*, render: Callable[[ReadersLink, dt.datetime], str], at: dt.datetime) -> int:
    """Render the page of every link and store it for all web processes; return how many."""
    links = list(ReadersLink.objects.usable().defer("html").order_by("pk"))
    with IsolatedSteps() as attempt:
        return sum(attempt(_store_page, link, render=render, at=at) or 0 for link in links)


def _store_page(link: ReadersLink, *, render: Callable[[ReadersLink, dt.datetime], str], at: dt.datetime) -> int:
    return ReadersLink.objects.filter(pk=link.pk, revoked_at=None).update(html=render(link, at), rendered_at=at)


def page_html(secret: str, *, render: Callable[[ReadersLink, dt.datetime], str], at: dt.datetime) -> str | None:
    """Return the page of a link; None if the link is unknown or revoked.

    It is the stored page, which a worker renders every minute, so that any number of readers cost the database nothing. A page that is
    too old, as on a site without workers, is rendered here: an old verdict must not pass for a current one.
    """
    digest = secret_digest(secret)
    html = page_memory.pages.get(digest)
    if html is None:
        link = link_by_secret(secret)
        if link is None:
            return None
        is_current = link.html and link.rendered_at is not None and at - link.rendered_at < MAX_PAGE_AGE
        html = link.html if is_current else render(link, at)
        page_memory.pages.put(digest, html)
    return html
