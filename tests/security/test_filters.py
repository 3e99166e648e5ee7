"""Every query parameter of the API: an unknown value is a 400 that names the parameter, and none is described that does nothing."""

import pytest

from common.api.description import openapi_description
from tests.security.fuzz import right_call

pytestmark = pytest.mark.django_db

PAGES = {"page", "page_size"}
# No row has this ID.
UNKNOWN_ID = "999999999"
REVERSED = {
    "/api/v1/holidays/?from=2026-12-02&to=2026-12-01": "to",
    "/api/v1/handoffs/?from=2026-12-02&to=2026-12-01": "to",
    "/api/v1/restatements/?from_day=2026-12-02&to_day=2026-12-01": "to_day",
    "/api/v1/reports/incidents/?since=2026-12-02&until=2026-12-01": "since",
}


def parameters():
    """Yield the path, name and type of each query parameter of a GET."""
    for path, operations in openapi_description()["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", []):
            if parameter["in"] == "query" and parameter["name"] not in PAGES:
                yield path, parameter["name"], parameter["schema"].get("type")


def test_an_unknown_value_is_refused_by_name(world):
    accepted = {}
    for path, name, kind in parameters():
        for value in ("no-such-value", UNKNOWN_ID) if kind == "integer" else ("no-such-value",):
            there = right_call(world, "GET", path)[0].partition("?")[0]
            answer, _ = world.call("admin's token", "GET", f"{there}?{name}={value}")
            # Suggestions need both parameters, and the rotation is read first.
            named = "rotation" if path.endswith("/suggestions/") else name
            if (answer.status_code, list(answer.json())) != (400, [named]):
                accepted[f"{path}?{name}={value}"] = answer.status_code
    assert accepted == {}


def test_dates_in_the_wrong_order_are_refused(world):
    answers = {there: world.call("token", "GET", there)[0] for there in REVERSED}
    assert {there: (answer.status_code, list(answer.json())) for there, answer in answers.items()} == {
        there: (400, [name]) for there, name in REVERSED.items()
    }
