"""Random changes of one rotation over HTTP: a process of its own, told by a line of JSON what to do."""

import collections
import datetime as dt
import json
import random
import sys

from tests.faults.caller import Caller

DAY = dt.timedelta(days=1)


def random_operations(address, secret, *, slug, seed, count):
    """Do that many random things to one rotation, as an admin; return how often each status was answered to what."""
    source = random.Random(seed)
    admin = Caller(address, secret)
    names = admin("GET", "people/?page_size=500")[1]["results"]
    users = [row["username"] for row in names if row["username"] != "admin"]
    seen = collections.Counter()

    def weeks():
        status, body = admin("GET", f"rotations/{slug}/weeks/")
        return body["results"][2:] if status == 200 else []

    def swap():
        one, two = source.sample(weeks(), 2)
        status, row = admin(
            "POST", "swaps/", rotation=slug, offered_week=one["starts_on"], wanted_week=two["starts_on"]
        )
        yield "ask", status
        if status == 201:
            answer = source.choice(["accept", "accept", "accept", "decline", "cancel"])
            given = {"acknowledge_conflicts": True} if answer == "accept" else {}
            yield answer, admin("POST", f"swaps/{row['id']}/{answer}/", **given)[0]

    def block():
        day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=source.randint(1, 150))).date()
        who = source.choice(users)
        status, row = admin(
            "POST", "holidays/", engineer=who, starts_on=str(day), ends_on=str(day + DAY * source.randint(0, 9))
        )
        yield "block", status
        if status == 201 and source.random() < 0.7:
            yield "unblock", admin("DELETE", f"holidays/{row['id']}/")[0]

    def cover():
        week = source.choice(weeks())
        begin = dt.datetime.fromisoformat(week["starts_at"]) + dt.timedelta(hours=source.randint(0, 100))
        ends_at = begin + dt.timedelta(hours=source.randint(1, 60))
        given = {"engineer": source.choice(users), "starts_at": begin.isoformat(), "ends_at": ends_at.isoformat()}
        status, row = admin("POST", "covers/", rotation=slug, acknowledge_conflicts=True, **given)
        yield "cover", status
        if status == 201 and source.random() < 0.7:
            yield "end", admin("DELETE", f"covers/{row['id']}/")[0]

    def regenerate():
        order = source.sample(users, source.randint(4, len(users)))
        starts_on = source.choice(weeks())["starts_on"]
        yield "roster", admin("POST", f"rotations/{slug}/roster/", starts_on=starts_on, engineers=order)[0]

    def leave():
        who = source.choice(users)
        yield "deactivate", admin("POST", f"people/{who}/deactivate/")[0]
        yield "reactivate", admin("POST", f"people/{who}/reactivate/")[0]

    while seen.total() < count:
        for done in source.choices((swap, block, cover, regenerate, leave), weights=(40, 25, 20, 8, 7))[0]():
            seen[done] += 1
    return seen


if __name__ == "__main__":
    given = json.loads(sys.stdin.read())
    seen = random_operations(tuple(given.pop("address")), given.pop("secret"), **given)
    print(json.dumps([[what, status, number] for (what, status), number in seen.items()]))
