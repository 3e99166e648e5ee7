"""The top room: what joins all the others."""

from django.apps import AppConfig


class OncallSiteConfig(AppConfig):
    """The Now page, the API's router, the handbook's import, health."""

    name = "oncall_site"

    def ready(self) -> None:
        """Make known the mails by which people set their passwords."""
        from notifications.registry import register  # noqa: PLC0415  # tables cannot be imported before the apps are loaded
        from oncall_site.notifications import KINDS  # noqa: PLC0415  # as above

        register(*KINDS)
