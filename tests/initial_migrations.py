"""`make migrations`: regenerates the initial migration of each app, until the first release."""

import configparser
import os
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
BASE = "common.initial_migration"
IMPORT = "from django.db import migrations, models\n"


def main():
    """Regenerate the migrations, one file per app, and print their operations."""
    os.chdir(ROOT)
    for path in ROOT.glob("*/migrations/0*.py"):
        path.unlink()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "oncall_site.settings",
        "DATABASE_URL": "postgresql:///unused",
        "SECRET_KEY": "unused",
        "ONCALL_VAR": "var",
    }
    import django  # it reads the environment

    django.setup()
    from django.core.management import call_command  # it needs the settings

    for app in _apps():
        call_command("makemigrations", app, verbosity=0, include_header=False)
    for app in _apps():
        _fold(app)
    _run_after_packages("pipelines")


def _apps():
    """Return the apps with migrations, each after those that it imports."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = contracts["importlinter:contract:apps"]["layers"].replace("|", " ").split()
    return [app for app in reversed(layers) if (ROOT / app / "migrations").is_dir()]


def _fold(app):
    """Rewrite an app's migration so that each table is created complete, after the tables that it refers to."""
    from django.db import migrations  # as above
    from django.db.migrations.writer import MigrationWriter  # as above

    migration = import_module(f"{app}.migrations.0001_initial").Migration("0001_initial", app)
    tables = {each.name_lower: each for each in migration.operations if isinstance(each, migrations.CreateModel)}
    rest = []
    for operation in migration.operations:
        table = tables.get(getattr(operation, "model_name_lower", ""))
        if table is None and operation not in tables.values():
            rest.append(operation)
        elif isinstance(operation, migrations.AddField):
            table.fields.append((operation.name, operation.field))
        elif isinstance(operation, migrations.AddConstraint):
            table.options.setdefault("constraints", []).append(operation.constraint)
        elif isinstance(operation, migrations.AddIndex):
            table.options.setdefault("indexes", []).append(operation.index)
        elif table is not None:
            rest.append(operation)
    migration.operations = [*_ordered(app, tables), *rest]
    text = MigrationWriter(migration, include_header=False).as_string()
    text = text.replace(IMPORT, f"{IMPORT}\nfrom {BASE} import InitialMigration\n")
    path = ROOT / app / "migrations" / "0001_initial.py"
    path.write_text(text.replace("class Migration(migrations.Migration)", "class Migration(InitialMigration)"))
    print(f"{app}: {len(tables)} tables, {len(rest)} triggers")


def _run_after_packages(app):
    """Let an app's migration depend on those of all packages: Django builds all models again at each of their changes to users."""
    from django.db.migrations.loader import MigrationLoader  # as above

    graph = MigrationLoader(None).graph
    packages = sorted(key for key in graph.leaf_nodes() if key[0] not in _apps())
    path = ROOT / app / "migrations" / "0001_initial.py"
    head, _, rest = path.read_text().partition("    dependencies = [\n")
    known, _, rest = rest.partition("    ]\n")
    added = "".join(f"        {key},\n" for key in packages if f"{key}" not in known)
    path.write_text(f"{head}    dependencies = [\n{known}{added}    ]\n{rest}")


def _ordered(app, tables):
    """Return the operations that create an app's tables, each after those of the tables it refers to."""
    ordered, left = {}, dict(tables)
    while left:
        ready = [name for name in left if _references(app, left[name], tables) - {name} <= ordered.keys()]
        if not ready:
            sys.exit(f"{app}: {', '.join(left)} refer to each other in a circle.")
        for name in ready:
            ordered[name] = left.pop(name)
    return ordered.values()


def _references(app, table, tables):
    """Return the names of the app's tables that a table refers to."""
    names = set()
    for _, field in table.fields:
        target = getattr(field.remote_field, "model", None)
        label = target if isinstance(target, str) else target._meta.label if target else ""
        owner, _, name = label.lower().rpartition(".")
        if owner in ("", app) and name in tables:
            names.add(name)
    return names


if __name__ == "__main__":
    main()
