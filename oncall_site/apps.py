"""The top room: what joins all the others."""

from django.apps import AppConfig


class OncallSiteConfig(AppConfig):
    """The Now page, the API's router, the handbook's import, health."""

    name = "oncall_site"
