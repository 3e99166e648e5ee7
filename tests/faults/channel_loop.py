"""`python -m tests.faults.channel_loop`: deliver messages to channels, which may be servers on this machine, until killed."""

import os
import time

import django

PAUSE_SECONDS = 0.05


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    django.setup()
    from team_channels.kinds import base
    from team_channels.services.delivery import deliver_one
    from tests.http_peer import local_rules

    base.http_rules = lambda url: local_rules()
    while True:
        if deliver_one() is None:
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
