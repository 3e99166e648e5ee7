"""TODO."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from scheduling.domain.weeks import Move


class MoveSerializer(serializers.Serializer[Any]):
    """A week, by the date it starts on, that goes `from` one engineer `to` another."""

    week = serializers.DateField()
    to = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields with `from`, which Python keeps for itself."""
        return {**super().get_fields(), "from": serializers.CharField()}


def move_row(move: Move, *, names: Mapping[int, str]) -> dict[str, str]:
    """Return a move as the API answers it."""
    return {"week": move.week.isoformat(), "from": names[move.giver], "to": names[move.taker]}
