"""The pipeline of each node of a dbt project: from `meta.pipeline`, the group, the path, then the rules. Without database access."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lineage.domain.dbt import TESTS, Manifest, ManifestGroup, ManifestNode, Placement
from people.domain.names import match_key
from validation.importers.dbt import TOOL
from validation.importers.mapping import ANY_TOOL, Rule, matches

# These are computed from models, so they belong to the pipeline of what they read.
DERIVED_TYPES = (*TESTS, "metric", "semantic_model", "saved_query")


@dataclass(frozen=True, slots=True)
class NodeRules:
    """What decides a node's pipeline: the pipelines by slug and by match key, and the rules for dbt, most specific first."""

    pipelines: Mapping[str, int]
    rules: tuple[tuple[str, Rule], ...]

    @classmethod
    def create(cls, *, pipelines: Mapping[str, int], rules: Iterable[Rule]) -> "NodeRules":
        """Return the rules for dbt in their order, each with its folded pattern."""
        fitting = sorted((rule for rule in rules if rule.tool in (ANY_TOOL, TOOL)), key=lambda rule: rule.weight)
        return cls(pipelines, tuple((rule.pattern.casefold(), rule) for rule in reversed(fitting)))

    def first(self, text: str, *, start: str = "", part: str = "") -> Rule | None:
        """Return the most specific rule that matches, of those whose pattern starts with `start` and has `part` in it."""
        folded = text.casefold()
        return next(
            (
                rule
                for pattern, rule in self.rules
                if pattern.startswith(start) and part in pattern and matches(folded, pattern=pattern)
            ),
            None,
        )

    def named(self, name: str) -> int | None:
        """Return the pipeline of this slug or name."""
        return self.pipelines.get(name) or self.pipelines.get(match_key(name))


def place_nodes(manifest: Manifest, *, rules: NodeRules) -> dict[str, Placement]:
    """Return the pipeline of each node with the reason. A test belongs to what it tests, unless its own `meta` names one."""
    groups = {name: _place_group(group, rules=rules) for name, group in manifest.groups.items()}
    paths: dict[str, Placement | None] = {}
    placements: dict[str, Placement] = {}
    for node in manifest.nodes.values():
        if node.path not in paths:
            paths[node.path] = _place_path(node.path, rules=rules)
        if node.kind not in DERIVED_TYPES:
            placements[node.key] = _place(node, group=groups.get(node.group), path=paths[node.path], rules=rules)
    # A saved query reads a metric, which reads a semantic model or a metric, which reads a model.
    for kinds in (("semantic_model",), ("metric",), ("metric", "saved_query"), TESTS):
        for node in manifest.nodes.values():
            if node.kind in kinds and (node.key not in placements or placements[node.key].pipeline is None):
                inherited = None if node.pipeline else _inherit(node, placements)
                placements[node.key] = inherited or _place(
                    node, group=groups.get(node.group), path=paths[node.path], rules=rules
                )
    return placements


def _place(node: ManifestNode, *, group: Placement | None, path: Placement | None, rules: NodeRules) -> Placement:
    if node.pipeline:
        pipeline = rules.named(node.pipeline)
        reason = f"meta.pipeline {node.pipeline}" if pipeline else f"meta.pipeline “{node.pipeline}” is not a pipeline."
        return Placement(pipeline, reason)
    if group is not None:
        return group
    if path is not None:
        return path
    rule = rules.first(node.key)
    if rule is not None:
        return Placement(rule.pipeline, f"rule {rule.pattern}")
    location = f"group {node.group}, " if node.group else ""
    return Placement(None, f"No meta.pipeline, and no rule for {location}path {node.path} or key {node.key}.")


def _inherit(node: ManifestNode, placements: Mapping[str, Placement]) -> Placement | None:
    """Return the placement of the node that a test is attached to, or that of all its parents if they share a pipeline."""
    attached = placements.get(node.tested)
    if attached is not None and attached.pipeline:
        return Placement(attached.pipeline, f"same as {node.tested}")
    above = {placements[parent].pipeline for parent in node.parents if parent in placements} - {None}
    return Placement(above.pop(), f"same as {node.parents[0]}") if len(above) == 1 else None


def _place_group(group: ManifestGroup, *, rules: NodeRules) -> Placement | None:
    """Return the pipeline that the group names in its `meta`, that has the group's name, or that a rule like `group.*` names."""
    if group.pipeline:
        pipeline = rules.named(group.pipeline)
        reason = f"is not a pipeline (meta.pipeline of the group {group.name})."
        return Placement(pipeline, f"group {group.name}" if pipeline else f"“{group.pipeline}” {reason}")
    named = rules.named(group.name)
    if named:
        return Placement(named, f"group {group.name}")
    rule = rules.first(group.key, start="group.")
    return Placement(rule.pipeline, f"rule {rule.pattern}") if rule else None


def _place_path(path: str, *, rules: NodeRules) -> Placement | None:
    """Return the pipeline of a rule for paths: one with a slash in its pattern, such as `models/finance/*`."""
    rule = rules.first(path, part="/")
    return Placement(rule.pipeline, f"path {rule.pattern}") if rule else None
