"""App configuration of `oncall_site`."""

import gc

from django.apps import AppConfig


class OncallSiteConfig(AppConfig):
    name = "oncall_site"

    def ready(self) -> None:
        """Enable garbage collection, which `oncall_site` disabled, for what is created from now on."""
        gc.freeze()
        gc.enable()
