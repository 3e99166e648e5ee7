"""The base of an app's first migration, which only creates tables and triggers."""

from typing import Any

from django.db import migrations
from pgtrigger.migrations import AddTrigger


class InitialMigration(migrations.Migration):
    """A migration that only creates tables and triggers, and therefore needs only the final state.

    Django rebuilds the affected models after each operation, which here means nearly all models after each of 300 operations:
    15 s of the first start on an empty folder. This class builds them once. `make migrations` writes it as the base class.
    """

    initial = True

    def apply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:  # noqa: FBT001, FBT002  # Django's
        if collect_sql or not all(isinstance(each, migrations.CreateModel | AddTrigger) for each in self.operations):
            return super().apply(project_state, schema_editor, collect_sql)
        # While no models are built, `state_forwards` only records the change.
        project_state.__dict__.pop("apps", None)
        tables = [each for each in self.operations if isinstance(each, migrations.CreateModel)]
        triggers = [each for each in self.operations if isinstance(each, AddTrigger)]
        for table in tables:
            table.state_forwards(self.app_label, project_state)
        for table in tables:
            table.database_forwards(self.app_label, schema_editor, project_state, project_state)
        # Triggers are added to the state later: a table whose model already had them would get them twice.
        apps = project_state.apps
        del project_state.__dict__["apps"]
        for trigger in triggers:
            trigger.state_forwards(self.app_label, project_state)
        project_state.apps = apps
        for trigger in triggers:
            trigger.database_forwards(self.app_label, schema_editor, project_state, project_state)
        return project_state
