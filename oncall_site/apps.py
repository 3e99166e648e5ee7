"""App configuration of `oncall_site`."""

from django.apps import AppConfig


class OncallSiteConfig(AppConfig):
    name = "oncall_site"
