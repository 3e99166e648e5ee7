"""Until the first release each app has one clean initial migration, and the models need no further one."""

from django.apps import apps
from django.core.management import call_command
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader

from common.initial_migration import InitialMigration
from tests.test_language import APPS


def test_each_app_with_models_has_one_initial_migration():
    migrations = sorted(key for key in MigrationLoader(None).disk_migrations if key[0] in APPS)

    expected = sorted((app, "0001_initial") for app in APPS if apps.get_app_config(app).models)
    assert migrations == expected


def test_the_models_need_no_further_migration(db):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_each_initial_migration_builds_its_models_once():
    loaded = MigrationLoader(None).disk_migrations

    assert [app for app, name in loaded if app in APPS and not isinstance(loaded[app, name], InitialMigration)] == []


def test_an_initial_migration_runs_the_statements_of_an_ordinary_one(db):
    loader = MigrationLoader(connection)
    migration = loader.disk_migrations["pipelines", "0001_initial"]
    statements = []

    for apply in (InitialMigration.apply, migrations.Migration.apply):
        state = loader.project_state([("people", "0001_initial"), ("pghistory", "0007_auto_20250421_0444")])
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            after = apply(migration, state, editor)
        models = {model._meta.label for model in after.apps.get_models()}
        statements.append((editor.collected_sql, after.models, models))

    assert statements[0] == statements[1]
    assert len(statements[0][0]) > 10


def test_an_initial_migration_with_another_operation_is_an_ordinary_one(db):
    class Filled(InitialMigration):
        operations = [migrations.RunSQL("SELECT 1"), migrations.SeparateDatabaseAndState()]

    state = MigrationLoader(connection).project_state([("people", "0001_initial")])
    built = state.apps

    with connection.schema_editor() as editor:
        assert Filled("0001_initial", "pipelines").apply(state, editor).apps is built
