"""What the migrations of every room are written with."""

from itertools import groupby

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.operations.models import CreateModel
from django.db.migrations.state import ProjectState


class _AtOnce(Operation):
    """Operations of which Django draws its picture of all tables once: drawing it for each was nine tenths of a migration's time."""

    def __init__(self, operations: list[Operation]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return "; ".join(operation.describe() for operation in self.operations)


def _what(operation: Operation) -> str:
    """Return what the operation makes or changes: tables, fields, or what is on them (indexes, constraints, triggers)."""
    if isinstance(operation, CreateModel):
        return "tables"
    return "fields" if isinstance(operation, FieldOperation) else "on them"


def at_once(operations: list[Operation]) -> list[Operation]:
    """Return the same operations in the same order, as few groups: tables, fields, and what is on them.

    They stay apart since each operation sees the tables as they are when its group is done, or not begun where it is taken
    back: a table made beside an added field would have the field twice. Not for operations that read rows, or that change
    one field twice.
    """
    return [_AtOnce(list(group)) for _, group in groupby(operations, _what)]
