"""Measures who answers, and timelines, against an empty view of the same framework, in a database of its own."""

import os

from tests import servers  # noqa: F401  # starts PostgreSQL and sets its address before Django reads its settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")

import django

django.setup()

from tests.bench.figures import main

main()
