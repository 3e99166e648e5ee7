"""Runs the benchmarks that are named, or all: `python -m tests.bench scale local`."""

import os
import sys
from functools import partial

from tests import servers  # noqa: F401  # starts PostgreSQL and sets its address before Django reads its settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")

import django

django.setup()

from tests.bench import checks, downstream, figures, local, machine, manifest, messages, scale

BENCHMARKS = {
    "machine": machine.measure,
    "requests": figures.main,
    "manifest": partial(figures.main, manifest.measure),
    "downstream": partial(figures.main, downstream.measure),
    "checks": partial(figures.main, checks.measure),
    "scale": partial(figures.main, scale.measure),
    "local": local.measure,
    # A part of `scale`.
    "messages": partial(figures.main, messages.measure),
}
for name in sys.argv[1:] or [name for name in BENCHMARKS if name != "messages"]:
    BENCHMARKS[name]()
