"""The Django project."""

import gc

# Garbage collection takes a fifth of the time in which the site loads. `OncallSiteConfig.ready` enables it again.
gc.disable()
