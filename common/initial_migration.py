"""The base of an app's first migration, which only creates tables and triggers."""

from typing import Any

from django.db import migrations
from pgtrigger.migrations import AddTrigger


class InitialMigration(migrations.Migration):
    """A migration whose operations need no state but the last one: each table and each trigger is new.

    Django builds the models that a change touches again after each operation, here nearly all models after each of 300: that
    took 15 s of an empty site's first start. This builds them once. `make migrations` writes this base.
    """

    initial = True

    def apply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:  # noqa: FBT001, FBT002  # Django's
        if collect_sql or not all(isinstance(each, migrations.CreateModel | AddTrigger) for each in self.operations):
            return super().apply(project_state, schema_editor, collect_sql)
        # Without built models, a change of the state only notes what changes.
        project_state.__dict__.pop("apps", None)
        tables = [each for each in self.operations if isinstance(each, migrations.CreateModel)]
        triggers = [each for each in self.operations if isinstance(each, AddTrigger)]
        for table in tables:
            table.state_forwards(self.app_label, project_state)
        for table in tables:
            table.database_forwards(self.app_label, schema_editor, project_state, project_state)
        # A model that names its triggers when its table is created would get them twice.
        built = project_state.apps
        del project_state.__dict__["apps"]
        for trigger in triggers:
            trigger.state_forwards(self.app_label, project_state)
        project_state.apps = built
        for trigger in triggers:
            trigger.database_forwards(self.app_label, schema_editor, project_state, project_state)
        return project_state
