"""App configuration of `oncall_site`."""

import gc

from django.apps import AppConfig


class OncallSiteConfig(AppConfig):
    name = "oncall_site"

    def ready(self) -> None:
        """Enable garbage collection again, for objects created from now on. `oncall_site/__init__.py` disabled it."""
        gc.freeze()
        gc.enable()
