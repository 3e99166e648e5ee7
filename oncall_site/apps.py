"""App configuration of `oncall_site`."""

from django.apps import AppConfig


class OncallSiteConfig(AppConfig):
    name = "oncall_site"

    def ready(self) -> None:
        """Register the notification types of password links."""
        from notifications.registry import register  # noqa: PLC0415  # models cannot be imported before the apps are loaded
        from oncall_site.notifications import KINDS  # noqa: PLC0415  # as above

        register(*KINDS)
