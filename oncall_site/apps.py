"""App configuration of `oncall_site`."""

import gc
from importlib import import_module

from django.apps import AppConfig


class OncallSiteConfig(AppConfig):
    name = "oncall_site"

    def ready(self) -> None:
        """Load the Celery application, then enable garbage collection, which `oncall_site/__init__.py` disabled.

        Not in `oncall_site/__init__.py`, as Celery proposes: loading it takes longer than what `make run` and the web server do before
        they load the site.
        """
        # Tasks that are started without it would be sent to Celery's default broker.
        import_module("oncall_site.celery")
        # Only objects created from now on are collected.
        gc.freeze()
        gc.enable()
