"""Django admin for handbook passages."""

from django.contrib import admin

from handbook.models import HandbookPassage


@admin.register(HandbookPassage)
class HandbookPassageAdmin(admin.ModelAdmin[HandbookPassage]):
    """Passages that handbook import stores verbatim."""

    list_display = ("__str__", "position")
