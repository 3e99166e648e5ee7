"""Delivers messages to channels until it is killed. The channels may be servers on this machine."""

import time

PAUSE_SECONDS = 0.05


def main():
    from team_channels.kinds import base
    from team_channels.services.delivery import deliver_one
    from tests.http_peer import local_rules

    base.http_rules = lambda url: local_rules()
    while True:
        if deliver_one() is None:
            time.sleep(PAUSE_SECONDS)
