"""Configuration of the lineage app."""

from django.apps import AppConfig


class LineageConfig(AppConfig):
    """Lineage: which pipelines read the data of which others."""

    name = "lineage"
