"""Map what other tools report to pipelines, by the rules that admins manage."""

from collections.abc import Collection, Mapping

from lineage.domain.dbt import Manifest, Placement
from lineage.queries import job_outputs, node_pipelines
from pipelines.models import Pipeline
from validation.importers import dbt, openlineage
from validation.importers.mapping import Rule, mapped_pipeline
from validation.importers.node_mapping import NodeRules, place_nodes
from validation.models import MappingRule


def mapping_rules() -> list[Rule]:
    """Return every rule."""
    return [Rule(row.tool, row.pattern, row.pipeline_id) for row in MappingRule.objects.all()]


def check_pipelines(keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], int | None]:
    """Return the pipeline of external checks, given by tool and key: that of a dbt node or of a job, else that of a rule."""
    rules = mapping_rules()
    known = node_pipelines({key for tool, key in keys if tool == dbt.TOOL})
    # An assertion about a dataset without a rule belongs to the job that made it: its key ends with that of the job.
    jobs = {key: key.rpartition("/@")[2] for tool, key in keys if tool == openlineage.TOOL}
    job_pipelines = openlineage_pipelines(set(jobs.values()))
    result = {}
    for tool, key in keys:
        by_rule = mapped_pipeline(tool=tool, key=key, rules=rules)
        if tool == dbt.TOOL:
            result[tool, key] = known.get(key, by_rule)
        elif tool == openlineage.TOOL and by_rule is None:
            result[tool, key] = job_pipelines[jobs[key]]
        else:
            result[tool, key] = by_rule
    return result


def openlineage_pipelines(
    keys: Collection[str], *, outputs: Mapping[str, Collection[str]] | None = None
) -> dict[str, int | None]:
    """Return the pipeline of OpenLineage jobs and datasets: that of a rule, or of a job's outputs if they share one.

    `outputs` are what jobs write besides what earlier events said.
    """
    rules = mapping_rules()
    written = job_outputs(keys)
    for job, datasets in (outputs or {}).items():
        written.setdefault(job, set()).update(datasets)

    def by_rule(key: str) -> int | None:
        return mapped_pipeline(tool=openlineage.TOOL, key=key, rules=rules)

    result = {}
    for key in keys:
        pipelines = {by_rule(dataset) for dataset in written.get(key, ())} - {None}
        result[key] = by_rule(key) or (pipelines.pop() if len(pipelines) == 1 else None)
    return result


def place_manifest(manifest: Manifest) -> Mapping[str, Placement]:
    """Return the pipeline of each node of a dbt project, with the reason."""
    rows = list(Pipeline.objects.values_list("pk", "match_key", "slug"))
    # A slug wins over another pipeline's name.
    pipelines = {key: pk for pk, key, _ in rows} | {slug: pk for pk, _, slug in rows}
    return place_nodes(manifest, rules=NodeRules.create(pipelines=pipelines, rules=mapping_rules()))
