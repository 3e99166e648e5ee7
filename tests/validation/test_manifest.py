"""dbt manifests of each schema, written by hand, and the pipelines of their nodes."""

import json
import re

import pytest

from lineage.domain.dbt import CodeOwner, feeding_pipelines, pipeline_links
from lineage.domain.graph import Link
from tests.each import each
from validation.importers.manifest import is_manifest, read_manifest
from validation.importers.mapping import Rule
from validation.importers.node_mapping import NodeRules, place_nodes
from validation.importers.results import UnreadableFileError

FINANCE, GROWTH = 1, 2


def node(key, *, parents=(), path="", **fields):
    kind, package, name = key.split(".")[:3]
    return key, {
        "unique_id": key, "resource_type": kind, "package_name": package, "name": name,
        "original_file_path": path or f"models/{name}.sql", "depends_on": {"nodes": list(parents), "macros": []}, **fields,
    }  # fmt: skip


def manifest(*nodes, schema=12, **sections):
    entries = dict(nodes)
    return {
        "metadata": {
            "dbt_schema_version": f"https://schemas.getdbt.com/dbt/manifest/v{schema}.json",
            "dbt_version": "1.11.2",
            "generated_at": "2026-11-01T10:00:00.5Z",
            "project_name": "shop",
        },
        "nodes": {key: entry for key, entry in entries.items() if not key.startswith("source.")},
        "sources": {key: entry for key, entry in entries.items() if key.startswith("source.")},
        "macros": {"macro.dbt.run": {"macro_sql": "x" * 1000, "depends_on": {"nodes": ["model.shop.no"]}}},
        "disabled": {"model.shop.old": [{"unique_id": "model.shop.old"}]},
        **sections,
    }


def parse(document):
    return read_manifest([json.dumps(document).encode()])


def place(document, *rules, pipelines=None):
    pipelines = pipelines or {"finance": FINANCE, "growth": GROWTH}
    read = parse(document)
    return read, place_nodes(read, rules=NodeRules.create(pipelines=pipelines, rules=rules))


@pytest.mark.parametrize("schema", [9, 10, 11, 12, 20])
def test_each_schema_gives_the_same_nodes(schema):
    read = parse(
        manifest(node("model.shop.orders", parents=["source.shop.raw"]), node("source.shop.raw"), schema=schema)
    )
    assert (read.schema, read.project, list(read.nodes)) == (schema, "shop", ["model.shop.orders", "source.shop.raw"])
    assert read.nodes["model.shop.orders"].parents == ("source.shop.raw",)


@pytest.mark.parametrize("schema", [7, 8, 13, 19, 21])
def test_another_schema_is_refused_by_its_number(schema):
    with pytest.raises(UnreadableFileError, match=f"schema v{schema} is not one of v9 to v12 or v20"):
        parse(manifest(schema=schema))


def test_a_file_without_a_schema_is_refused():
    with pytest.raises(UnreadableFileError, match="is not the schema of a manifest"):
        parse({"nodes": {}})


@each(
    "sections", [{}, {"nodes": {}}, {"parent_map": {"model.shop.a": ["model.shop.b"]}}, {"groups": {}, "exposures": {}}]
)
def test_a_manifest_without_nodes_is_refused(sections):
    """It would delete the lineage of its project."""
    with pytest.raises(UnreadableFileError, match="dbt manifest: it has no nodes"):
        parse({"metadata": manifest()["metadata"], **sections})


@each(
    "sections, location",
    [
        ({"nodes": []}, "nodes"),
        ({"nodes": {"model.shop.a": 5}}, "nodes.model.shop.a"),
        ({"groups": 5}, "groups"),
        ({"exposures": {"exposure.shop.a": None}}, "exposures.exposure.shop.a"),
    ],
)
def test_what_is_not_an_object_is_named(sections, location):
    with pytest.raises(UnreadableFileError, match=re.escape(f"dbt manifest: {location} is not an object")):
        parse({**manifest(node("model.shop.orders")), **sections})


def test_a_manifest_of_fusion_has_its_settings_in_config_only():
    """Fusion leaves `meta`, `group` and `depends_on` of a node out, writes null for what is empty, and sorts the sections."""
    fusion = {
        "disabled": {}, "docs": {}, "exposures": {}, "functions": {},
        "groups": {"group.shop.money": {"name": "money", "owner": {"name": None, "email": ["cfo@example.org"]}, "config": None}},
        "macros": {},
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v20.json", "project_name": "shop",
                     "dbt_version": "2.0.0-preview.219", "generated_at": "2026-11-01T10:00:00Z"},
        "nodes": {"model.shop.orders": {"resource_type": "model", "name": "orders", "package_name": "shop",
                  "original_file_path": "models/orders.sql", "depends_on": None, "tags": None,
                  "config": {"group": "money", "meta": {"owner": "Ann <ann@example.org>", "pipeline": "finance"}}}},
        "parent_map": {"model.shop.orders": ["source.shop.raw"], "source.shop.raw": []},
        "selectors": None,
        "sources": {"source.shop.raw": {"resource_type": "source", "name": "raw", "source_name": "erp", "config": {"meta": None}}},
    }  # fmt: skip
    read = parse(fusion)
    orders = read.nodes["model.shop.orders"]
    assert (orders.group, orders.pipeline, orders.parents) == ("money", "finance", ("source.shop.raw",))
    assert (orders.owner, read.groups["money"].owner) == (
        CodeOwner("Ann", "ann@example.org"),
        CodeOwner("", "cfo@example.org"),
    )
    assert read.nodes["source.shop.raw"].name == "erp.raw"


@each(
    ("value", "owner"),
    [
        ("ann@example.org", CodeOwner("", "ann@example.org")),
        ("@ann", CodeOwner("ann", "")),
        ("Ann B", CodeOwner("Ann B", "")),
        (["ann@example.org", "bob@example.org"], CodeOwner("", "ann@example.org")),
        ({"name": "Ann", "email": "ann@example.org"}, CodeOwner("Ann", "ann@example.org")),
        (7.5, CodeOwner("7.5", "")),
        ([[]], CodeOwner()),
        (None, CodeOwner()),
    ],
)
def test_an_owner_is_a_name_or_an_address_in_many_forms(value, owner):
    key, entry = node("model.shop.orders", meta={"owner": value})
    assert parse(manifest((key, entry))).nodes[key].owner == owner


def test_a_manifest_is_recognised_by_the_first_schema_in_it():
    assert is_manifest(b'{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"')
    assert not is_manifest(b'{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"')
    assert not is_manifest(b"{}")


def test_meta_wins_over_the_group_the_group_over_the_path_and_the_path_over_the_key():
    groups = {"group.shop.growth": {"name": "growth", "owner": {}}}
    rules = [Rule("dbt", "models/money/*", FINANCE), Rule("", "*", GROWTH)]
    document = manifest(
        node("model.shop.a", meta={"pipeline": "finance"}, config={"group": "growth"}),
        node("model.shop.b", path="models/money/b.sql", config={"group": "growth"}),
        node("model.shop.c", path="models/money/c.sql"),
        node("model.shop.d"),
        groups=groups,
    )
    _, placements = place(document, *rules)
    assert {key[-1]: (row.pipeline, row.reason) for key, row in placements.items()} == {
        "a": (FINANCE, "meta.pipeline finance"),
        "b": (GROWTH, "group growth"),
        "c": (FINANCE, "path models/money/*"),
        "d": (GROWTH, "rule *"),
    }


def test_an_unknown_pipeline_in_meta_is_named_and_never_guessed():
    _, placements = place(manifest(node("model.shop.a", meta={"pipeline": "fin"})), Rule("", "*", GROWTH))
    assert placements["model.shop.a"].pipeline is None
    assert placements["model.shop.a"].reason == "meta.pipeline “fin” is not a pipeline."


def test_a_rule_for_a_group_maps_its_nodes():
    groups = {"group.shop.money": {"name": "money", "owner": {}}}
    document = manifest(node("model.shop.a", config={"group": "money"}), groups=groups)
    _, placements = place(document, Rule("dbt", "group.shop.money", FINANCE))
    assert placements["model.shop.a"].pipeline == FINANCE


def test_a_test_belongs_to_what_it_tests_unless_it_names_a_pipeline():
    document = manifest(
        node("model.shop.a", meta={"pipeline": "finance"}),
        node("model.shop.b", meta={"pipeline": "growth"}),
        node("test.shop.t1.x", parents=["model.shop.a", "model.shop.b"], attached_node="model.shop.b"),
        node("test.shop.t2.x", parents=["model.shop.a"], meta={"pipeline": "growth"}),
        node("test.shop.t3.x", parents=["model.shop.a"]),
    )
    read, placements = place(document)
    assert [placements[f"test.shop.t{i}.x"].pipeline for i in (1, 2, 3)] == [GROWTH, GROWTH, FINANCE]
    pipelines = {key: row.pipeline for key, row in placements.items()}
    feeding = feeding_pipelines(read.nodes, pipelines=pipelines)
    assert pipeline_links(read.nodes, pipelines=pipelines, feeding=feeding) == set()


def test_a_link_goes_through_nodes_without_a_pipeline_and_stops_at_those_with_one():
    document = manifest(
        node("model.shop.a", meta={"pipeline": "one"}),
        node("model.shop.loose", parents=["model.shop.a"]),
        node("model.shop.loose2", parents=["model.shop.loose", "model.shop.loose"]),
        node("model.shop.b", parents=["model.shop.loose2"], meta={"pipeline": "two"}),
        node("model.shop.c", parents=["model.shop.b"], meta={"pipeline": "three"}),
    )
    read, placements = place(document, pipelines={"one": 1, "two": 2, "three": 3})
    pipelines = {key: row.pipeline for key, row in placements.items() if row.pipeline}
    feeding = feeding_pipelines(read.nodes, pipelines=pipelines)
    assert pipeline_links(read.nodes, pipelines=pipelines, feeding=feeding) == {Link(1, 2), Link(2, 3)}


def test_a_cycle_in_a_damaged_manifest_ends():
    document = manifest(node("model.shop.a", parents=["model.shop.b"]), node("model.shop.b", parents=["model.shop.a"]))
    assert feeding_pipelines(parse(document).nodes, pipelines={}) == {
        "model.shop.a": frozenset(),
        "model.shop.b": frozenset(),
    }


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "a\u202eb", "\ud800"])
def test_control_characters_in_a_key_are_replaced_and_it_stays_unique(name):
    read = parse(
        manifest(
            node("model.shop.a b"), node(f"model.shop.{name}"), node("model.shop.below", parents=[f"model.shop.{name}"])
        )
    )
    [first, second, below] = read.nodes
    assert (first, below) == ("model.shop.a b", "model.shop.below")
    assert re.fullmatch(r"model\.shop\.(a[� ]b|�)~[0-9a-f]{12}", second)
    assert read.nodes[below].parents == (second,)


def test_a_manifest_with_too_many_parents_is_rejected(monkeypatch):
    monkeypatch.setattr("validation.importers.manifest.MAX_REFERENCES", 5)
    parents = [f"source.shop.s{number}" for number in range(5)]
    assert len(parse(manifest(node("model.shop.m", parents=parents))).nodes) == 1
    with pytest.raises(UnreadableFileError, match="more than 5 parents"):
        parse(manifest(node("model.shop.m", parents=parents), node("model.shop.n", parents=parents[:1])))
    with pytest.raises(UnreadableFileError, match="more than 5 parents"):
        parse(manifest(node("model.shop.m", parents=parents[:1]), parent_map={"model.shop.m": parents}))
