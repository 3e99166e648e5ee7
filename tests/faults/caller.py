"""A quick client of the API, for processes that know nothing of Django."""

import http.client
import json
import threading

from tests.waiting import PATIENCE_SECONDS


class Caller:
    """One person's connection to the API, which stays open until `close_callers`."""

    opened = []

    def __init__(self, address, secret):
        self.opened.append(self)
        self.connection = http.client.HTTPConnection(*address, timeout=PATIENCE_SECONDS)
        self.headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def __call__(self, method, path, **data):
        """Return the status and the body of an answer."""
        body = json.dumps(data) if method != "GET" else None
        for attempt in range(3):
            try:
                self.connection.request(method, f"/api/v1/{path}", body=body, headers=self.headers)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (ConnectionError, http.client.HTTPException):
                # A kept connection that the server closed while it idled.
                self.connection.close()
                if attempt == 2:
                    raise
        return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else text.decode(errors="replace")


def close_callers():
    """Close the connections of all callers."""
    while Caller.opened:
        Caller.opened.pop().connection.close()


def at_once(calls):
    """Make these calls at the same moment, each in a thread of its own; return their answers in order."""
    barrier = threading.Barrier(len(calls))
    answers = [None] * len(calls)

    def make(place, call):
        barrier.wait()
        answers[place] = call()

    threads = [threading.Thread(target=make, args=(place, call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
