"""The base of an app's first migration, which only creates tables and triggers."""

from typing import Any

from django.db import migrations
from django.db.migrations.state import StateApps
from django.db.migrations.utils import resolve_relation
from django.utils.functional import SimpleLazyObject
from pgtrigger.migrations import AddTrigger


class InitialMigration(migrations.Migration):
    """A migration that only creates tables and triggers, and therefore needs only the final state.

    Django rebuilds the affected models after each operation, which here means nearly all models after each of 300 operations:
    15 s of the first start on an empty folder. This class builds once the app's models and those that they refer to.
    `make migrations` writes it as the base class.
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
        project_state.apps = StateApps(project_state.real_apps, _with_references(self.app_label, project_state.models))
        for table in tables:
            table.database_forwards(self.app_label, schema_editor, project_state, project_state)
        # Triggers are added to the state later: a table whose model already had them would get them twice.
        apps = project_state.__dict__.pop("apps")
        for trigger in triggers:
            trigger.state_forwards(self.app_label, project_state)
        project_state.apps = apps
        for trigger in triggers:
            trigger.database_forwards(self.app_label, schema_editor, project_state, project_state)
        # Django builds all models before each migration if there are none. The next one may need none of them.
        project_state.apps = SimpleLazyObject(lambda: StateApps(project_state.real_apps, project_state.models))
        return project_state


def _with_references(app: str, models: dict[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    """Return an app's models and all that they refer to, directly or not."""
    found: dict[tuple[str, str], Any] = {}
    left = [key for key in models if key[0] == app]
    while left:
        key = left.pop()
        # Django's own check reports a reference to a model that does not exist.
        if key in models and key not in found:
            found[key] = models[key]
            left += _references(models[key])
    return found


def _references(model: Any) -> list[tuple[str, str]]:
    """Return the models that a model refers to."""
    fields = [field.remote_field for field in model.fields.values() if field.remote_field]
    targets = [target for field in fields for target in (field.model, getattr(field, "through", None)) if target]
    return [resolve_relation(target, model.app_label, model.name_lower) for target in targets]
