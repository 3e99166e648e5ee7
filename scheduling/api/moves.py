"""Moves of weeks between engineers, as API data."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from scheduling.domain.weeks import Move


class MoveSerializer(serializers.Serializer[Any]):
    """A week, identified by its start date, that moves `from` one engineer `to` another."""

    week = serializers.DateField()
    to = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, adding `from`, which is a reserved word in Python."""
        return {**super().get_fields(), "from": serializers.CharField()}


def move_row(move: Move, *, names: Mapping[int, str]) -> dict[str, str]:
    """Return a move as API data."""
    return {"week": move.week.isoformat(), "from": names[move.giver], "to": names[move.taker]}
