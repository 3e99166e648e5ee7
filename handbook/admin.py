"""Django admin for handbook passages."""

from django.contrib import admin

from handbook.models import HandbookCell, HandbookColumn, HandbookPassage


@admin.register(HandbookPassage)
class HandbookPassageAdmin(admin.ModelAdmin[HandbookPassage]):
    """Passages that handbook import stores verbatim."""

    list_display = ("__str__", "position")


class HandbookCellInline(admin.TabularInline[HandbookCell, HandbookColumn]):
    """The cells of an extra column."""

    model = HandbookCell
    extra = 0


@admin.register(HandbookColumn)
class HandbookColumnAdmin(admin.ModelAdmin[HandbookColumn]):
    """Columns of the ownership table that only the handbook uses."""

    list_display = ("title", "place")
    inlines = (HandbookCellInline,)
