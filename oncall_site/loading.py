"""Loads the code of all pages before a process is copied, so that the copies share its memory and answer at once."""

from importlib import import_module

from django.conf import settings
from django.urls import reverse


def load_pages() -> None:
    """Load all views and the anomaly detector, and compile the routes.

    Otherwise each copy would compile them when it writes its first link, which takes a fifth of a second, and load NumPy for the
    first check that needs it.
    """
    import_module(settings.ROOT_URLCONF)
    import_module("validation.anomaly.detector")
    reverse("now")
