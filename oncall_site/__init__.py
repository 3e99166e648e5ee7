"""The Django project."""

import gc

# Garbage collection takes a fifth of the time in which the site loads. `OncallSiteConfig.ready` enables it again.
gc.disable()

from oncall_site.celery import app as celery_app  # noqa: E402  # loads Celery

__all__ = ["celery_app"]
