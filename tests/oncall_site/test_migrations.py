"""Until the first release each app has one clean initial migration, and the models need no further one."""

from django.apps import apps
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

from tests.test_language import APPS


def test_each_app_with_models_has_one_initial_migration():
    migrations = sorted(key for key in MigrationLoader(None).disk_migrations if key[0] in APPS)

    expected = sorted((app, "0001_initial") for app in APPS if apps.get_app_config(app).models)
    assert migrations == expected


def test_the_models_need_no_further_migration(db):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
