"""Django's admin for the schedule."""

from django.contrib import admin

from scheduling.models import PipelineRotation, Roster, RosterMember, Rotation


class RosterMemberInline(admin.TabularInline[RosterMember, Roster]):
    """A roster's engineers, in order."""

    model = RosterMember
    extra = 0
    autocomplete_fields = ("engineer",)


@admin.register(Rotation)
class RotationAdmin(admin.ModelAdmin[Rotation]):
    """Rotations: zone, hand-off weekday and hour, holiday policy."""

    list_display = ("name", "slug", "time_zone", "handoff_weekday", "handoff_time")
    search_fields = ("name", "slug")


@admin.register(Roster)
class RosterAdmin(admin.ModelAdmin[Roster]):
    """Rosters, each with the week from which it holds."""

    list_display = ("rotation", "starts_on")
    list_filter = ("rotation",)
    inlines = (RosterMemberInline,)


@admin.register(PipelineRotation)
class PipelineRotationAdmin(admin.ModelAdmin[PipelineRotation]):
    """Which rotation each pipeline belongs to."""

    list_display = ("pipeline", "rotation")
    list_filter = ("rotation",)
    list_select_related = ("pipeline", "rotation")
