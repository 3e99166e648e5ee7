"""Changes to runbooks."""

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError
from people.models import User
from pipelines.models import Pipeline
from runbooks.domain.handbook_model import LARGEST_RUNBOOK
from runbooks.domain.rendering import Rendered, TooComplexError, render
from runbooks.domain.runbook_text import normalize_runbook
from runbooks.models import Runbook, RunbookRevision, RunbookSection
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
    if size > LARGEST_RUNBOOK:
        raise TextTooLargeError(f"The text has {size:,} bytes. The limit is {LARGEST_RUNBOOK:,}.")
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

    Raise InvalidInputError if the text cannot be rendered, or DomainError if the pipeline already has a runbook.
    """
    markdown = normalize_markdown(markdown)
    rendered = render_markdown(markdown)
    with transaction.atomic():
        Pipeline.objects.select_for_update().get(pk=pipeline.pk)
        if Runbook.objects.filter(pipeline=pipeline).exists():
            raise DomainError(f"{pipeline} already has a runbook.")
        runbook = Runbook.objects.create(pipeline=pipeline, title=title, revision=1)
        _write(
            runbook,
            rendered=rendered,
            revision=RunbookRevision(number=1, markdown=markdown, author=author, summary=summary),
        )
    return runbook


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

    Raise StaleEditError with both texts if `based_on` is not the current revision, or InvalidInputError if the text
    cannot be rendered.
    """
    typed, markdown = markdown, normalize_markdown(markdown)
    rendered = render_markdown(markdown)
    with transaction.atomic():
        locked = Runbook.objects.select_for_update().get(pk=runbook.pk)
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


def restore(runbook: Runbook, *, number: int, based_on: int, author: User) -> RunbookRevision:
    """Save an earlier revision's text as the newest revision. Raise the same errors as `save_revision`."""
    return save_revision(
        runbook,
        markdown=revision_markdown(runbook, number=number),
        based_on=based_on,
        author=author,
        summary=f"Restored revision {number}",
        restored_from=number,
    )


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
