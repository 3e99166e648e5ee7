"""The Django project."""

import gc

# Garbage collection while the site loads is a fifth of its start. `OncallSiteConfig.ready` enables it again.
gc.disable()

from oncall_site.celery import app as celery_app  # noqa: E402  # loads Celery

__all__ = ["celery_app"]
