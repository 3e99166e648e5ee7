"""Django admin for readiness. Services write every row."""

from django.contrib import admin

from common.admin import ReadOnlyModelAdmin
from readiness.models import Publication, Restatement


@admin.register(Publication)
class PublicationAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Publication]):
    """Published days."""

    list_display = ("pipeline", "day", "published_at")
    list_filter = ("pipeline",)
    list_select_related = ("pipeline",)
    date_hierarchy = "day"


@admin.register(Restatement)
class RestatementAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Restatement]):
    """Restatements. Engineers comment on them on the pipeline's page."""

    list_display = ("metric", "segment", "bucket", "from_value", "to_value", "cause", "changed_at", "settled_at")
    list_filter = ("cause", "publication__pipeline")
    list_select_related = ("metric__pipeline",)
    search_fields = ("metric__name", "segment", "comment")
