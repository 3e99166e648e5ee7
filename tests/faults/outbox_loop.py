"""`python -m tests.faults.outbox_loop NAME`: deliver the rows of an outbox until killed. Channels may be servers on this machine."""

import os
import sys
import time

import django

PAUSE_SECONDS = 0.05


def deliverer(name):
    if name == "readers":
        from readiness.services.delivery import deliver_reader_message

        return deliver_reader_message
    from team_channels.kinds import base
    from team_channels.services.delivery import deliver_one
    from tests.http_peer import local_rules

    base.http_rules = lambda url: local_rules()
    return deliver_one


def main(name):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    django.setup()
    deliver = deliverer(name)
    while True:
        if deliver() is None:
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
