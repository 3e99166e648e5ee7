"""TODO."""

from django.contrib import admin

from handbook.models import HandbookPassage


@admin.register(HandbookPassage)
class HandbookPassageAdmin(admin.ModelAdmin[HandbookPassage]):
    """Passages of the handbook that the site keeps word for word."""

    list_display = ("__str__", "position")
