"""dbt's `manifest.json`: schemas v9 to v12 of dbt Core, and v20 of Fusion, which has the same sections."""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lineage.domain.dbt import KINDS, CodeOwner, Manifest, ManifestExposure, ManifestGroup, ManifestNode
from validation.importers.json_stream import entries
from validation.importers.parsing import (
    MAX_MESSAGE_LENGTH,
    Json,
    Record,
    instant,
    optional_record,
    record,
    result_key,
    text,
)
from validation.importers.results import UnreadableFileError

SCHEMA = re.compile(r"/dbt/manifest/v([0-9]{1,6})\.json\Z")
# The first schema that a file names, near its start, tells what it is.
SCHEMA_IN_FILE = re.compile(rb"/dbt/([a-z-]+)/v[0-9]+\.json")
SCHEMAS = (9, 10, 11, 12, 20)
# Per file, in `depends_on` and `parent_map` together. A project of 20,000 models has about 200,000.
MAX_REFERENCES = 500_000
NODE_SECTIONS = {"nodes", "sources", "metrics", "semantic_models", "saved_queries", "unit_tests", "functions"}


def is_manifest(start: bytes) -> bool:
    """Return True if a file that starts like this is a manifest."""
    match = SCHEMA_IN_FILE.search(start)
    return match is not None and match[1] == b"manifest"


def read_manifest(pieces: Iterable[bytes]) -> Manifest:
    """Return the content of a manifest, which is read piece by piece.

    Macros, docs and disabled nodes are left out.

    Raises UnreadableFileError for another file, an unsupported schema, no nodes, or more than `MAX_REFERENCES`.
    """
    references = 0
    metadata: dict[str, Json] = {}
    nodes: dict[str, ManifestNode] = {}
    groups: dict[str, ManifestGroup] = {}
    exposures: dict[str, ManifestExposure] = {}
    parents: dict[str, tuple[str, ...]] = {}
    for section, key, value in entries(pieces):
        if section == "metadata":
            metadata[key] = value
            if key == "dbt_schema_version":
                _schema(value)
        elif section == "parent_map":
            parents[result_key(key)] = _keys(value)
            references += len(parents[result_key(key)])
        elif section in NODE_SECTIONS:
            entry = _record(value, section=section, key=key)
            node = _node(result_key(key), entry)
            references += len(node.parents)
            if node.kind in KINDS:
                nodes[node.key] = node
        elif section == "groups":
            group = _group(result_key(key), _record(value, section=section, key=key))
            groups[group.name] = group
        elif section == "exposures":
            exposure = _exposure(result_key(key), _record(value, section=section, key=key))
            exposures[exposure.key] = exposure
        if references > MAX_REFERENCES:
            raise UnreadableFileError(f"dbt manifest: its nodes have more than {MAX_REFERENCES:,} parents")
    schema = _schema(metadata.get("dbt_schema_version"))
    _require_nodes(nodes)
    return Manifest(
        project=text(metadata.get("project_name")) or _main_package(nodes),
        schema=schema,
        dbt_version=text(metadata.get("dbt_version"), limit=50),
        generated_at=instant(metadata.get("generated_at")),
        nodes=_with_parents(nodes, parents),
        groups=groups,
        exposures=exposures,
    )


def _require_nodes(nodes: Mapping[str, ManifestNode]) -> None:
    """Raise UnreadableFileError for no nodes: such a file would delete the lineage of its project."""
    if not nodes:
        raise UnreadableFileError("dbt manifest: it has no nodes")


def _record(value: Json, *, section: str, key: str) -> Record:
    return record(value, location=f"dbt manifest: {section}.{text(key)}" if key else f"dbt manifest: {section}")


def _schema(value: Json) -> int:
    schema = text(value)
    match = SCHEMA.search(schema)
    if match is None:
        raise UnreadableFileError(f"dbt: “{schema}” is not the schema of a manifest.json")
    if int(match[1]) not in SCHEMAS:
        raise UnreadableFileError(f"dbt manifest: schema v{match[1]} is not one of v9 to v12 or v20")
    return int(match[1])


def _node(key: str, entry: Record) -> ManifestNode:
    config = optional_record(entry.get("config"))
    meta = _meta(entry)
    kind = text(entry.get("resource_type")) or key.split(".", maxsplit=1)[0]
    return ManifestNode(
        key=key,
        kind=kind,
        name=_name(entry, kind=kind),
        path=text(entry.get("original_file_path"), limit=400),
        package=text(entry.get("package_name")),
        group=text(config.get("group")) or text(entry.get("group")),
        pipeline=text(meta.get("pipeline")),
        owner=_owner(meta.get("owner")),
        parents=_keys(optional_record(entry.get("depends_on")).get("nodes")),
        tested=result_key(text(entry.get("attached_node"), limit=1000)),
    )


def _name(entry: Record, *, kind: str) -> str:
    name = text(entry.get("name"))
    return text(f"{text(entry.get('source_name'))}.{name}") if kind == "source" else name


def _group(key: str, entry: Record) -> ManifestGroup:
    return ManifestGroup(
        key=key,
        name=text(entry.get("name")),
        pipeline=text(_meta(entry).get("pipeline")),
        owner=_owner(entry.get("owner")),
    )


def _exposure(key: str, entry: Record) -> ManifestExposure:
    return ManifestExposure(
        key=key,
        name=text(entry.get("label")) or text(entry.get("name")) or key,
        kind=text(entry.get("type"), limit=50),
        url=_web_address(entry.get("url")),
        description=text(entry.get("description"), limit=MAX_MESSAGE_LENGTH),
        owner=_owner(entry.get("owner")),
        parents=_keys(optional_record(entry.get("depends_on")).get("nodes")),
    )


def _meta(entry: Record) -> Record:
    """Return `meta`, of which dbt has two: its own and that of the configuration, which newer versions use."""
    return {**optional_record(entry.get("meta")), **optional_record(optional_record(entry.get("config")).get("meta"))}


def _owner(value: Json) -> CodeOwner:
    """Return an owner from `{name, email}`, a name, an address, `Name <address>`, or the first of a list of these."""
    if isinstance(value, list):
        return _owner(value[0]) if value and not isinstance(value[0], list) else CodeOwner()
    if isinstance(value, dict):
        email = value.get("email")
        first = email[0] if isinstance(email, list) and email else email
        return CodeOwner(name=text(value.get("name")), email=text(first))
    words = text(value)
    name, bracket, rest = words.partition("<")
    if bracket and rest.endswith(">") and "@" in rest:
        return CodeOwner(name=name.strip(), email=rest[:-1].strip())
    # Tools such as Slack put an @ before a name.
    return CodeOwner(email=words) if "@" in words[1:] else CodeOwner(name=words.removeprefix("@"))


def _web_address(value: Json) -> str:
    url = text(value, limit=MAX_MESSAGE_LENGTH)
    return url if url.startswith(("https://", "http://")) else ""


def _keys(value: Json) -> tuple[str, ...]:
    """Return the keys in a list. Interned, because many nodes name the same parent."""
    return (
        tuple(sys.intern(result_key(key)) for key in value if isinstance(key, str)) if isinstance(value, list) else ()
    )


def _main_package(nodes: Mapping[str, ManifestNode]) -> str:
    """Return the package of most nodes: schemas before v10 do not name the project."""
    packages = Counter(node.package for node in nodes.values())
    return max(packages, key=lambda package: (packages[package], package)) if packages else "dbt"


def _with_parents(nodes: Mapping[str, ManifestNode], parents: Mapping[str, tuple[str, ...]]) -> dict[str, ManifestNode]:
    """Return the nodes with the parents of `parent_map`, which includes those that `depends_on` leaves out."""
    return {
        key: replace(node, parents=tuple(dict.fromkeys(parents.get(key, node.parents)))) for key, node in nodes.items()
    }
