"""The types of checks, one per module. The package is the registry: a new module is a new type."""

import importlib
import pkgutil
from typing import Any

from validation.domain.check_type import CheckType


def _discover() -> dict[str, CheckType[Any]]:
    """Return the check types of the modules of this package, by name, ordered by label."""
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if module.name != "__main__"
    ]
    types = [
        value()
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, CheckType) and value.__module__ == module.__name__
    ]
    return {one.name: one for one in sorted(types, key=lambda one: one.label)}


CHECK_TYPES = _discover()
