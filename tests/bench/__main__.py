"""Measures responders and timelines against an empty view of the same framework, in a database of its own."""

import os
import sys

from tests import servers  # noqa: F401  # starts PostgreSQL and sets its address before Django reads its settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")

import django

django.setup()

from tests.bench import checks, downstream, figures, local, machine, manifest, messages, scale

# Each name runs one benchmark: `scale` a large company, `checks` a thousand checks, `manifest` a large file,
# `downstream` a thousand children and readers, `local` make run, `machine` what basic work costs here, `messages` the messages of
# `scale` alone. Without a name, all but `messages` run.
ALONE = {
    "scale": scale.measure,
    "messages": messages.measure,
    "checks": checks.measure,
    "manifest": manifest.measure,
    "downstream": downstream.measure,
}
if sys.argv[1:] == ["local"]:
    local.measure()
elif sys.argv[1:] == ["machine"]:
    machine.measure()
elif sys.argv[1:]:
    figures.main(ALONE[sys.argv[1]])
else:
    machine.measure()
    figures.main()
    figures.main(manifest.measure)
    figures.main(downstream.measure)
    figures.main(checks.measure)
    figures.main(scale.measure)
    local.measure()
