"""Map what other tools report to pipelines, by the rules that admins manage."""

from collections.abc import Collection, Mapping

from lineage.domain.dbt import Manifest, Placement
from lineage.queries import node_pipelines
from pipelines.models import Pipeline
from validation.importers import dbt
from validation.importers.mapping import Rule, mapped_pipeline
from validation.importers.node_mapping import NodeRules, place_nodes
from validation.models import MappingRule


def mapping_rules() -> list[Rule]:
    """Return every rule."""
    return [Rule(row.tool, row.pattern, row.pipeline_id) for row in MappingRule.objects.all()]


def check_pipelines(keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], int | None]:
    """Return the pipeline of external checks, given by tool and key: that of a dbt project's node, else that of a rule."""
    rules = mapping_rules()
    nodes = node_pipelines({key for tool, key in keys if tool == dbt.TOOL})
    return {
        (tool, key): nodes[key]
        if tool == dbt.TOOL and key in nodes
        else mapped_pipeline(tool=tool, key=key, rules=rules)
        for tool, key in keys
    }


def place_manifest(manifest: Manifest) -> Mapping[str, Placement]:
    """Return the pipeline of each node of a dbt project, with the reason."""
    rows = list(Pipeline.objects.values_list("pk", "match_key", "slug"))
    # A slug wins over another pipeline's name.
    pipelines = {key: pk for pk, key, _ in rows} | {slug: pk for pk, _, slug in rows}
    return place_nodes(manifest, rules=NodeRules.create(pipelines=pipelines, rules=mapping_rules()))
