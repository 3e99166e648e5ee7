"""Create, edit, delete and restore runbooks."""

import datetime as dt

from django.db import transaction
from django.db.models.functions import Now

from common.datetimes import RESTORE_WINDOW
from common.exceptions import DomainError, InvalidInputError
from people.models import User
from pipelines.models import Pipeline
from runbooks.domain.handbook_model import MAX_RUNBOOK_BYTES
from runbooks.domain.rendering import Rendered, TooComplexError, render
from runbooks.domain.runbook_text import normalize_runbook
from runbooks.models import Runbook, RunbookRead, RunbookRevision, RunbookSection
from runbooks.queries import revision_markdown


class StaleEditError(DomainError):
    """The runbook changed after this edit started. Carries both texts."""

    def __init__(self, *, current: RunbookRevision, yours: str) -> None:
        author = current.author or "the handbook import"
        super().__init__(
            f"{author} saved revision {current.number} while you were editing. Compare both texts, then save again.",
            revision=current.number,
            current=current.markdown,
            yours=yours,
        )
        self.current = current
        self.yours = yours


def normalize_markdown(markdown: str) -> str:
    """Return the normal form. Raise InvalidInputError if it contains NUL, TextTooLargeError if it is too large."""
    if "\0" in markdown:
        raise InvalidInputError({"markdown": ["The text contains a NUL character."]})
    size = len(markdown.encode("utf-8", "surrogatepass"))
    if size > MAX_RUNBOOK_BYTES:
        raise TextTooLargeError(f"The text has {size:,} bytes. The limit is {MAX_RUNBOOK_BYTES:,}.")
    return normalize_runbook(markdown)


def render_markdown(markdown: str) -> Rendered:
    """Return the rendered text. Raise TextTooLargeError for `markdown` if it is too complex."""
    try:
        return render(markdown)
    except TooComplexError as error:
        raise TextTooLargeError(str(error)) from error


class TextTooLargeError(InvalidInputError):
    """The text cannot be rendered within the limits (docs/reliability.md). The API returns 413."""

    def __init__(self, reason: str) -> None:
        super().__init__({"markdown": [reason]})


def create_runbook(pipeline: Pipeline, *, title: str, markdown: str, author: User | None, summary: str = "") -> Runbook:
    """Create the runbook of a pipeline with its first revision.

    If the pipeline had one that was deleted, that one is restored, and the text is its newest revision. Raise InvalidInputError if the text cannot be rendered, or DomainError if the pipeline already has a runbook.
    """
    markdown = normalize_markdown(markdown)
    rendered = render_markdown(markdown)
    with transaction.atomic():
        Pipeline.objects.select_for_update().get(pk=pipeline.pk)
        runbook = Runbook.all_objects.filter(pipeline=pipeline).first()
        if runbook is None:
            runbook = Runbook(pipeline=pipeline, revision=0)
        elif runbook.deleted_at is None:
            raise DomainError(f"{pipeline} already has a runbook.")
        runbook.title, runbook.revision = title, runbook.revision + 1
        runbook.deleted_at = runbook.deleted_by = None
        runbook.save()
        _write(
            runbook,
            rendered=rendered,
            revision=RunbookRevision(number=runbook.revision, markdown=markdown, author=author, summary=summary),
        )
    return runbook


@transaction.atomic
def delete_runbook(runbook: Runbook, *, by: User, at: dt.datetime) -> None:
    """Delete a runbook; it can be restored for 30 days with its revisions and runs."""
    Runbook.objects.filter(pk=runbook.pk).update(deleted_at=at, deleted_by=by)


@transaction.atomic
def restore_runbook(runbook: Runbook) -> Runbook:
    """Restore a deleted runbook and return it. Raise DomainError if it is gone."""
    row = Runbook.all_objects.select_for_update(of=("self",)).select_related("pipeline").filter(pk=runbook.pk).first()
    if row is None:
        raise DomainError("This runbook was deleted more than 30 days ago and cannot be restored.")
    if row.deleted_at is not None:
        row.deleted_at, row.deleted_by, row.title = None, None, row.pipeline.full_name
        row.save(update_fields=["deleted_at", "deleted_by", "title"])
    return row


def purge_deleted_runbooks(*, at: dt.datetime) -> int:
    """Delete runbooks, with their revisions, that were deleted more than 30 days ago; return how many."""
    expired = Runbook.all_objects.filter(deleted_at__lte=at - RESTORE_WINDOW)
    count = expired.count()
    expired.delete()
    return count


def save_revision(  # each argument is an attribute of the revision
    runbook: Runbook,
    *,
    markdown: str,
    based_on: int,
    author: User | None,
    summary: str = "",
    restored_from: int | None = None,
) -> RunbookRevision:
    """Save a new text as the revision after `based_on` and return it. Return the current revision if nothing changed.

    Raise StaleEditError with both texts if `based_on` is not the current revision, InvalidInputError if the text
    cannot be rendered, or DomainError if the runbook has since been deleted.
    """
    typed, markdown = markdown, normalize_markdown(markdown)
    rendered = render_markdown(markdown)
    with transaction.atomic():
        locked = Runbook.objects.select_for_update().filter(pk=runbook.pk).first()
        if locked is None:
            raise DomainError("This runbook was deleted. Restore it first.")
        current = locked.revisions.select_related("author").get(number=locked.revision)
        if current.number != based_on:
            raise StaleEditError(current=current, yours=typed)
        if current.markdown == markdown:
            return current
        revision = RunbookRevision(
            number=based_on + 1, markdown=markdown, author=author, summary=summary, restored_from=restored_from
        )
        runbook.revision = locked.revision = revision.number
        locked.save(update_fields=["revision"])
        _write(runbook, rendered=rendered, revision=revision)
    return revision


def restore_revision(runbook: Runbook, *, number: int, based_on: int, author: User) -> RunbookRevision:
    """Save an earlier revision's text as the newest revision. Raise the same errors as `save_revision`."""
    return save_revision(
        runbook,
        markdown=revision_markdown(runbook, number=number),
        based_on=based_on,
        author=author,
        summary=f"Restored revision {number}",
        restored_from=number,
    )


def mark_read(runbook: Runbook, *, by: User) -> RunbookRead:
    """Record that a person has read the current revision of a runbook; return the record."""
    row, _ = RunbookRead.objects.update_or_create(
        person=by, runbook=runbook, defaults={"revision": runbook.revision, "read_at": Now()}
    )
    return row


def rename_runbook(runbook: Runbook, *, title: str) -> None:
    """Set a runbook's title to the one in the handbook."""
    Runbook.objects.filter(pk=runbook.pk).update(title=title)
    runbook.title = title


def _write(runbook: Runbook, *, rendered: Rendered, revision: RunbookRevision) -> None:
    revision.runbook, revision.html = runbook, rendered.html
    revision.save(force_insert=True)
    runbook.sections.all().delete()
    RunbookSection.objects.bulk_create(
        RunbookSection(
            runbook=runbook, position=place, title=part.title, anchor=part.anchor, html=part.html, text=part.text
        )
        for place, part in enumerate(rendered.sections)
    )
