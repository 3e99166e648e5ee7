"""Read the content of dbt projects as their manifests described it."""

from lineage.domain.dbt import CodeOwner, Manifest, ManifestExposure, ManifestGroup, ManifestNode
from lineage.models import DbtExposure, DbtGroup, DbtNode, DbtProject


def manifest_from_rows(project: DbtProject) -> Manifest:
    """Return the content of a project's last manifest, as it is stored."""
    node_parents, exposure_parents = _pairs(DbtNode, project=project), _pairs(DbtExposure, project=project)
    return Manifest(
        project=project.name,
        schema=project.schema,
        dbt_version=project.dbt_version,
        generated_at=project.generated_at,
        nodes={
            row.key: ManifestNode(
                key=row.key,
                kind=row.kind,
                name=row.name,
                path=row.path,
                package=row.package,
                group=row.group,
                pipeline=row.meta_pipeline,
                owner=CodeOwner(row.owner_name, row.owner_email),
                parents=tuple(node_parents.get(row.key, ())),
                tested=row.tested,
            )
            for row in DbtNode.objects.filter(project=project).order_by("key")
        },
        groups={
            row.name: ManifestGroup(row.key, row.name, row.meta_pipeline, CodeOwner(row.owner_name, row.owner_email))
            for row in DbtGroup.objects.filter(project=project).order_by("key")
        },
        exposures={
            row.key: ManifestExposure(
                key=row.key,
                name=row.name,
                kind=row.kind,
                url=row.url,
                description=row.description,
                owner=CodeOwner(row.owner_name, row.owner_email),
                parents=tuple(exposure_parents.get(row.key, ())),
            )
            for row in DbtExposure.objects.filter(project=project).order_by("key")
        },
    )


def _pairs(model: type[DbtNode | DbtExposure], *, project: DbtProject) -> dict[str, list[str]]:
    """Return the keys of the parents of each row by its key."""
    pairs: dict[str, list[str]] = {}
    rows = model.objects.filter(project=project, parents__isnull=False).order_by("key", "parents__key")
    for key, parent in rows.values_list("key", "parents__key"):
        pairs.setdefault(key, []).append(parent)
    return pairs
