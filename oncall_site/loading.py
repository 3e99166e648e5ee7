"""Loads the pages before a process is copied, so that its copies share their memory and answer at once."""

from importlib import import_module

from django.conf import settings
from django.urls import reverse


def load_pages() -> None:
    """Load all views, and compile the routes: each copy would do it at its first link, which takes a fifth of a second."""
    import_module(settings.ROOT_URLCONF)
    reverse("now")
