"""Django's admin for the schedule."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone

from people.admin import UserAdmin
from people.models import User
from people.refusals import Refused
from scheduling import commands
from scheduling.models import (
    Cover,
    HolidayBlock,
    PipelineRotation,
    Roster,
    RosterMember,
    Rotation,
    RotationWeek,
    UncoveredMoment,
)


class RosterMemberInline(admin.TabularInline[RosterMember, Roster]):
    """A roster's engineers, in order."""

    model = RosterMember
    extra = 0
    autocomplete_fields = ("engineer",)


class Shown:
    """What is looked at in the admin and changed elsewhere, by commands that keep the weeks right."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell that rows are made elsewhere."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell that rows are changed elsewhere."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell that rows are removed elsewhere."""
        return False


admin.site.unregister(User)


@admin.register(User)
class EngineerAdmin(UserAdmin):
    """People; one who becomes inactive leaves every roster and week in the same transaction."""

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Save what was typed, activity by the command that gives weeks and covers to others."""
        active = obj.is_active
        if change:
            obj.is_active = User.objects.get(pk=obj.pk).is_active
        super().save_model(request, obj, form, change)
        assert isinstance(request.user, User)  # noqa: S101  # the admin is behind sign-in
        try:
            if obj.is_active and not active:
                commands.deactivate(obj, by=request.user, at=timezone.now())
                messages.info(request, f"{obj} left every roster; their weeks and covers went to others.")
            elif active and not obj.is_active:
                commands.bring_back(obj, by=request.user)
        except Refused as refusal:
            messages.error(request, str(refusal))


@admin.register(Rotation)
class RotationAdmin(admin.ModelAdmin[Rotation]):
    """Rotations: zone, hand-off weekday and hour, holiday policy. A change of hours moves the coming weeks."""

    list_display = ("name", "slug", "time_zone", "handoff_weekday", "handoff_time")
    search_fields = ("name", "slug")
    readonly_fields = ("handoff_weekday",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell that a rotation comes with its roster, from the handbook."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Rotation | None = None) -> bool:
        """Tell that a rotation's past is kept."""
        return False

    def save_model(self, request: HttpRequest, obj: Rotation, form: Any, change: Any) -> None:
        """Save the rotation, its hours by the command that moves the coming weeks with them."""
        stored = Rotation.objects.get(pk=obj.pk)
        time_zone, handoff_time = obj.time_zone, obj.handoff_time
        obj.time_zone, obj.handoff_time = stored.time_zone, stored.handoff_time
        super().save_model(request, obj, form, change)
        commands.change_hours(obj, time_zone=time_zone, handoff_time=handoff_time, at=timezone.now())


@admin.register(Roster)
class RosterAdmin(Shown, admin.ModelAdmin[Roster]):
    """Rosters, each with the week from which it holds; a new one comes with the handbook."""

    list_display = ("rotation", "starts_on")
    list_filter = ("rotation",)
    inlines = (RosterMemberInline,)


@admin.register(PipelineRotation)
class PipelineRotationAdmin(admin.ModelAdmin[PipelineRotation]):
    """Which rotation each pipeline belongs to."""

    list_display = ("pipeline", "rotation")
    list_filter = ("rotation",)
    list_select_related = ("pipeline", "rotation")


@admin.register(RotationWeek)
class RotationWeekAdmin(Shown, admin.ModelAdmin[RotationWeek]):
    """Weeks: who was planned by the roster, and who holds each."""

    list_display = ("rotation", "starts_on", "engineer", "planned_engineer", "starts_at", "ends_at")
    list_filter = ("rotation", "engineer")
    list_select_related = ("rotation", "engineer", "planned_engineer")
    date_hierarchy = "starts_on"


@admin.register(HolidayBlock)
class HolidayBlockAdmin(Shown, admin.ModelAdmin[HolidayBlock]):
    """The shared calendar: admins block, change and remove anybody's dates on its own pages, which show what that does."""

    list_display = ("engineer", "starts_on", "ends_on", "kind", "note")
    list_filter = ("kind", "engineer")
    list_select_related = ("engineer",)
    date_hierarchy = "starts_on"


@admin.register(Cover)
class CoverAdmin(Shown, admin.ModelAdmin[Cover]):
    """Covers of a rotation's time."""

    list_display = ("rotation", "engineer", "covers", "starts_at", "ends_at", "reason")
    list_select_related = ("rotation", "engineer", "covers")


@admin.register(UncoveredMoment)
class UncoveredMomentAdmin(Shown, admin.ModelAdmin[UncoveredMoment]):
    """Moments that nobody covers, as the sweep finds them."""

    list_display = ("pipeline", "starts_at", "ends_at", "found_at")
    list_select_related = ("pipeline",)
