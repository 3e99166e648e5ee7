"""JSON form of a frozen dataclass of plain values, dates, times, instants, tuples, dictionaries and other such dataclasses."""

import datetime as dt
import types
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Return a value as JSON data; dates, times and instants become ISO 8601 text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    return value


def from_json(wanted: type[T], data: Any) -> T:
    """Return JSON data as a dataclass; raise TypeError, KeyError or ValueError if it does not fit its fields."""
    hints = get_type_hints(wanted)
    return wanted(**{field.name: _value(hints[field.name], data[field.name]) for field in fields(wanted)})  # type: ignore[arg-type]


def _value(wanted: Any, data: Any) -> Any:
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in (types.UnionType, Union):
        return None if data is None else _value(next(one for one in arguments if one is not types.NoneType), data)
    if origin is tuple:
        return tuple(_value(arguments[0], item) for item in data)
    wanted = origin or wanted
    if is_dataclass(wanted) and isinstance(wanted, type):
        return from_json(wanted, data)
    if wanted in (dt.datetime, dt.date, dt.time):
        return wanted.fromisoformat(data)
    if not isinstance(data, wanted):
        raise TypeError(f"{data!r} is not of type {wanted.__name__}.")
    return data
