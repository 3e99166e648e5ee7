"""Import the pipelines of a handbook, their runbooks and proposed checks, and its other texts."""

from django.db import transaction

from handbook.models import HandbookCell, HandbookColumn, HandbookPassage
from handbook.services.report import ImportedQuery, Report
from incidents.queries.evidence import block_states
from people.domain.names import match_key
from people.models import User
from pipelines.models import Pipeline
from pipelines.queries import ownership
from pipelines.services import Owners, create_pipeline, order_pipelines, update_pipeline
from runbooks.domain.handbook_model import Handbook
from runbooks.models import Runbook
from runbooks.queries import current_revision, runbooks
from runbooks.services import create_runbook, rename_runbook, save_revision
from validation.domain.suggestions import SECTION, suggest_checks
from validation.services.checks import create_suggested_checks

REVISION_SUMMARY = "Handbook import"


def import_pipelines(handbook: Handbook, report: Report, *, engineers: dict[str, User]) -> dict[str, Pipeline]:
    known = {row.match_key: row for row in ownership()}
    named: dict[str, Pipeline] = {}
    for row in handbook.pipelines:
        owners = Owners(primary=engineers[match_key(row.primary)], secondary=engineers[match_key(row.secondary)])
        key = match_key(row.full_name)
        if key not in known:
            named[key] = create_pipeline(row.full_name, owners=owners, position=len(known) + len(named))
            report.note(f"pipeline {named[key]}", created=True)
            continue
        named[key] = known.pop(key)
        fields = {
            "name": row.name,
            "audience": row.audience,
            "primary_owner": owners.primary,
            "secondary_owner": owners.secondary,
        }
        report.note(f"pipeline {row.full_name}", changed=update_pipeline(named[key], fields=fields))
    report.absent += [f"pipeline {row}" for row in known.values()]
    moved = order_pipelines([*named.values(), *known.values()])
    report.note("order of the pipelines", changed=[str(row) for row in moved])
    return named


def import_runbooks(handbook: Handbook, report: Report, *, pipelines: dict[str, Pipeline]) -> None:
    known = {row.pipeline_id: row for row in Runbook.objects.all()}
    for part in handbook.runbooks:
        pipeline = pipelines[match_key(part.full_name)]
        runbook = known.get(pipeline.pk)
        if runbook is None:
            create_runbook(
                pipeline, title=part.full_name, markdown=part.markdown, author=None, summary=REVISION_SUMMARY
            )
            report.note(f"runbook {part.full_name}", created=True)
            continue
        before = runbook.revision
        saved = save_revision(runbook, markdown=part.markdown, based_on=before, author=None, summary=REVISION_SUMMARY)
        changed = [f"text, replaces revision {before}"] if saved.number != before else []
        if runbook.title != part.full_name:
            rename_runbook(runbook, title=part.full_name)
            changed.append("title")
        report.note(f"runbook {part.full_name}", changed=changed)


def collect_queries(handbook: Handbook, report: Report, *, pipelines: dict[str, Pipeline]) -> None:
    """Report the queries under the steps of the file's runbooks that no admin has approved."""
    named = [pipelines[match_key(part.full_name)].pk for part in handbook.runbooks]
    for runbook in runbooks().filter(pipeline__in=named):
        states = block_states(current_revision(runbook).html, pipeline=runbook.pipeline)
        waiting = [state for state in states if state.is_waiting]
        report.queries += [ImportedQuery(runbook.title, state) for state in waiting]


def import_checks(handbook: Handbook, report: Report, *, pipelines: dict[str, Pipeline]) -> None:
    """Create a disabled check for every line under "Metrics Validation" that has none yet."""
    suggestions = {}
    for part in handbook.runbooks:
        sections = [section.markdown for section in part.sections if match_key(section.title) == match_key(SECTION)]
        proposals = [one for markdown in sections for one in suggest_checks(markdown, pipeline=part.name)]
        if proposals:
            suggestions[pipelines[match_key(part.full_name)]] = proposals
    for pipeline, added in create_suggested_checks(suggestions).items():
        report.note(f"checks proposed for {pipeline} (disabled)", changed=[str(check) for check in added])


def import_columns(handbook: Handbook, report: Report, *, pipelines: dict[str, Pipeline]) -> None:
    """Replace the extra columns of the ownership table. Pipelines that the file does not name keep their cells."""
    columns = {column.place: column.title for column in handbook.columns}
    old = {row.pk: row for row in HandbookColumn.objects.all()}
    cells = {
        (old[cell.column_id].title, cell.pipeline_id): cell.text for cell in HandbookCell.objects.all() if cell.text
    }
    named = {row.pk for row in pipelines.values()}
    titles = set(columns.values())
    wanted = {key: text for key, text in cells.items() if key[1] not in named and key[0] in titles}
    for row in handbook.pipelines:
        pipeline = pipelines[match_key(row.full_name)]
        texts = zip(columns.values(), row.extra, strict=True)
        wanted |= {(title, pipeline.pk): text for title, text in texts if text}
    is_same = (columns, wanted) == ({row.place: row.title for row in old.values()}, cells)
    if columns or old:
        changed = [] if is_same else [", ".join(columns.values()) or "none"]
        report.note("extra columns of the ownership table", changed=changed)
    if is_same:
        return
    HandbookColumn.objects.all().delete()
    rows = HandbookColumn.objects.bulk_create(HandbookColumn(place=key, title=columns[key]) for key in columns)
    HandbookCell.objects.bulk_create(
        HandbookCell(column=row, pipeline_id=pipeline, text=text)
        for row in rows
        for (title, pipeline), text in wanted.items()
        if title == row.title
    )


def import_passages(handbook: Handbook, report: Report) -> None:
    passages = [
        HandbookPassage(position=place, place=passage.place, markdown=passage.markdown)
        for place, passage in enumerate(handbook.extras)
    ]
    changed = replace_passages(passages)
    if passages or changed:
        report.note("other text of the handbook", changed=["text"] if changed else [])


@transaction.atomic
def replace_passages(passages: list[HandbookPassage]) -> bool:
    """Replace all handbook passages. Return True if anything changed."""
    stored = list(HandbookPassage.objects.values_list("position", "place", "markdown").order_by("position"))
    if stored == [(p.position, p.place, p.markdown) for p in passages]:
        return False
    HandbookPassage.objects.all().delete()
    HandbookPassage.objects.bulk_create(passages)
    return True
