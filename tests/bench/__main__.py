"""Measures who answers, and timelines, against an empty view of the same framework, in a database of its own."""

import os
import sys

from tests import servers  # noqa: F401  # starts PostgreSQL and sets its address before Django reads its settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")

import django

django.setup()

from tests.bench import figures, scale

# `scale` alone measures the site of a large company; without it, the smaller figures come first.
if sys.argv[1:] != ["scale"]:
    figures.main()
figures.main(scale.measure)
