"""Django admin for the schedule."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils import timezone

from common.admin import ReadOnlyModelAdmin
from common.exceptions import DomainError, InvalidInputError
from common.forms import LinesField
from people.admin import dry_run_form, request_admin
from people.models import User
from scheduling.models import (
    CalendarLink,
    Cover,
    CoverageGap,
    CoverRequest,
    HolidayBlock,
    PipelineRotation,
    Roster,
    RosterMember,
    Rotation,
    RotationWeek,
    SwapRequest,
)
from scheduling.models.rotations import DRILL_SCHEDULE_FIELDS
from scheduling.services.calendar_links import unlink_calendar
from scheduling.services.cover_requests import accept_cover_request, cancel_cover_request
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.holidays import HolidayData, build_holiday, create_holiday, delete_holiday, update_holiday
from scheduling.services.swaps import accept_swap, cancel_swap
from scheduling.services.weeks import update_hours

HOURS_FIELDS = ("time_zone", "handoff_weekday", "handoff_time")


class RosterMemberInline(admin.TabularInline[RosterMember, Roster]):
    """A roster's engineers, in order."""

    model = RosterMember
    extra = 0
    autocomplete_fields = ("engineer",)


class RotationForm(forms.ModelForm[Rotation]):
    """A rotation; rules contain commas, so that each has a line of its own."""

    policy_rules = LinesField(
        required=False,
        help_text="The rules of the holiday policy, one per line. Indent a line to continue the rule above.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("drill_weekday", "drill_time"):
            self.fields[name].required = False

    def clean_drill_weekday(self) -> int:
        """Return the weekday; the saved one if it is left empty."""
        day: int | str = self.cleaned_data["drill_weekday"]
        return self.instance.drill_weekday if isinstance(day, str) else day

    def clean_drill_time(self) -> dt.time:
        """Return the time; the saved one if it is left empty."""
        return self.cleaned_data["drill_time"] or self.instance.drill_time

    class Meta:
        model = Rotation
        fields = (
            "slug",
            "name",
            "description",
            "time_zone",
            "handoff_weekday",
            "handoff_time",
            "weekly_drill",
            "drill_weekday",
            "drill_time",
            "policy_name",
            "policy_introduction",
            "policy_rules",
        )


@admin.register(Rotation)
class RotationAdmin(admin.ModelAdmin[Rotation]):
    """Rotations: time zone, hand-off, weekly drill and holiday policy; changing the hours moves upcoming shifts."""

    form = RotationForm
    list_display = ("name", "slug", "time_zone", "handoff_weekday", "handoff_time", "weekly_drill")
    search_fields = ("name", "slug")
    fields = RotationForm.Meta.fields

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """Redirect to the page that creates a rotation with its roster."""
        return redirect("new_rotation")

    def has_change_permission(self, request: HttpRequest, obj: Rotation | None = None) -> bool:
        """Return False for archived rotations."""
        return super().has_change_permission(request, obj) and (obj is None or obj.archived_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Rotation | None = None) -> bool:
        """Return False: a rotation's history must not be deleted."""
        return False

    def save_model(self, request: HttpRequest, obj: Rotation, form: Any, change: Any) -> None:
        """Save the rotation, and change its hours through the service that also moves upcoming shifts."""
        stored = Rotation.objects.get(pk=obj.pk)
        hours = {name: getattr(obj, name) for name in HOURS_FIELDS}
        for name in HOURS_FIELDS:
            setattr(obj, name, getattr(stored, name))
        if DRILL_SCHEDULE_FIELDS & set(form.changed_data):
            obj.drill_changed_at = timezone.now()
        super().save_model(request, obj, form, change)
        update_hours(obj, **hours, at=timezone.now())


@admin.register(Roster)
class RosterAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Roster]):
    """Rosters, each with the start date of its first shift. They are changed on the Edit roster page."""

    list_display = ("rotation", "starts_on")
    list_filter = ("rotation",)
    inlines = (RosterMemberInline,)


@admin.register(PipelineRotation)
class PipelineRotationAdmin(admin.ModelAdmin[PipelineRotation]):
    """The rotation of each pipeline."""

    list_display = ("pipeline", "rotation")
    list_filter = ("rotation",)
    list_select_related = ("pipeline", "rotation")


@admin.register(RotationWeek)
class RotationWeekAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[RotationWeek]):
    """Shifts, each with its planned engineer and its engineer."""

    list_display = ("rotation", "starts_on", "engineer", "planned_engineer", "starts_at", "ends_at")
    list_filter = ("rotation", "engineer")
    list_select_related = ("rotation", "engineer", "planned_engineer")
    date_hierarchy = "starts_on"


class HolidayBlockForm(forms.ModelForm[HolidayBlock]):
    """Time off, validated by the rules of the service."""

    class Meta:
        model = HolidayBlock
        fields = ("engineer", "starts_on", "ends_on", "starts_at_time", "ends_at_time", "kind", "note")

    def holiday_data(self) -> HolidayData:
        """Return the validated dates, kind and note."""
        return HolidayData(**{name: self.cleaned_data[name] for name in HolidayData.__dataclass_fields__})

    def clean(self) -> None:
        """Raise ValidationError, by field, for invalid dates."""
        super().clean()
        if self.errors:
            return
        engineer = self.cleaned_data.get("engineer") or self.instance.engineer
        try:
            build_holiday(engineer, data=self.holiday_data(), time_zone=self.instance.time_zone)
        except InvalidInputError as invalid:
            raise ValidationError(invalid.problems) from invalid


@admin.register(HolidayBlock)
class HolidayBlockAdmin(admin.ModelAdmin[HolidayBlock]):
    """Time off, saved by the same services as on the Calendar page, which also shows its impact."""

    form = HolidayBlockForm
    list_display = ("engineer", "starts_on", "ends_on", "kind", "note")
    list_filter = ("kind", "engineer")
    list_select_related = ("engineer",)
    autocomplete_fields = ("engineer",)
    date_hierarchy = "starts_on"

    def get_readonly_fields(self, request: HttpRequest, obj: HolidayBlock | None = None) -> tuple[str, ...]:
        """Make the engineer read-only once the time off exists."""
        return ("engineer",) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: HolidayBlock | None = None) -> bool:
        """Return False for time off from a linked calendar: it is edited there."""
        return super().has_change_permission(request, obj) and (obj is None or obj.link_id is None)

    def has_delete_permission(self, request: HttpRequest, obj: HolidayBlock | None = None) -> bool:
        """Return False for time off from a linked calendar: it is deleted there."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.link_id is None)

    def save_model(self, request: HttpRequest, obj: HolidayBlock, form: Any, change: Any) -> None:
        """Save through the service, which takes the locks."""
        by = request_admin(request)
        if change:
            saved = update_holiday(obj, data=form.holiday_data(), by=by)
        else:
            saved = create_holiday(form.cleaned_data["engineer"], data=form.holiday_data(), by=by)
        obj.pk = saved.pk

    def delete_model(self, request: HttpRequest, obj: HolidayBlock) -> None:
        """Delete through the service, which takes the locks."""
        delete_holiday(obj, by=request_admin(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[HolidayBlock]) -> None:
        """Delete the selected rows one by one."""
        for block in queryset.filter(link=None):
            delete_holiday(block, by=request_admin(request))


class CoverForm(forms.ModelForm[Cover]):
    """A cover, tried in a rolled-back transaction so that errors appear on the form."""

    acknowledge_conflicts = forms.BooleanField(required=False, label="Save the cover although the engineer is away")

    class Meta:
        model = Cover
        fields = ("rotation", "engineer", "starts_at", "ends_at", "reason")

    def cover_data(self) -> CoverData:
        """Return the validated cover data."""
        return CoverData(**{name: self.cleaned_data[name] for name in CoverData.__dataclass_fields__})

    def create(self, *, by: User) -> Cover:
        """Create the cover; raise the service's errors."""
        return create_cover(
            self.cleaned_data["rotation"],
            data=self.cover_data(),
            by=by,
            at=timezone.now(),
            acknowledge_conflicts=self.cleaned_data["acknowledge_conflicts"],
        )


@admin.register(Cover)
class CoverAdmin(admin.ModelAdmin[Cover]):
    """Covers: create, end or cancel them; they cannot be edited."""

    form = CoverForm
    list_display = ("rotation", "engineer", "covered_engineer", "starts_at", "ends_at", "reason")
    list_select_related = ("rotation", "engineer", "covered_engineer")
    autocomplete_fields = ("engineer",)
    actions = ("end",)

    def has_change_permission(self, request: HttpRequest, obj: Cover | None = None) -> bool:
        """Return False: end a cover and create a new one instead."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Cover | None = None) -> bool:
        """Return False: past covers are part of the history."""
        return False

    def get_form(self, request: HttpRequest, obj: Cover | None = None, change: Any = False, **options: Any) -> Any:  # noqa: FBT002  # Django's own signature
        """Return the form that tries the cover as the signed-in admin."""
        form_class = super().get_form(request, obj, change=change, **options)
        return dry_run_form(form_class, lambda form: form.create(by=request_admin(request)))

    def save_model(self, request: HttpRequest, obj: Cover, form: Any, change: Any) -> None:
        """Create the cover."""
        cover = form.create(by=request_admin(request))
        obj.pk, obj.covered_engineer, obj.created_by = cover.pk, cover.covered_engineer, cover.created_by

    @admin.action(description="End selected covers", permissions=["view"])
    def end(self, request: HttpRequest, queryset: QuerySet[Cover]) -> None:
        """End the covers now, or cancel those that have not started."""
        for cover in queryset.select_related("rotation", "engineer", "covered_engineer"):
            try:
                end_cover(cover, by=request_admin(request), at=timezone.now())
            except DomainError as error:
                messages.error(request, f"{cover}: {error}")
            else:
                messages.success(request, f"{cover}: ended.")


class RequestAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Any]):
    """Requests: accept or withdraw them on behalf of the engineers."""

    list_filter = ("state", "rotation")
    list_select_related = ("rotation", "requester", "counterpart", "decided_by")
    actions = ("accept", "withdraw")

    @admin.action(description="Accept selected requests on behalf of the recipients", permissions=["view"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Accept what is open of each request, recorded as accepted on behalf of the recipient."""
        for row in queryset.filter(counterpart=None):
            messages.error(
                request, f"{row}: this request is open to anyone. Accept it on its page and choose the engineer."
            )
        with_recipient = queryset.filter(counterpart__isnull=False)
        self._answer_each(
            request, with_recipient, service=self.accept_request, result="accepted on behalf of the recipient"
        )

    @admin.action(description="Withdraw selected requests", permissions=["view"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Withdraw what is open of each request."""
        self._answer_each(request, queryset, service=self.withdraw_request, result="withdrawn")

    def accept_request(self, row: Any, *, by: User, at: dt.datetime) -> None:
        raise NotImplementedError

    def withdraw_request(self, row: Any, *, by: User, at: dt.datetime) -> None:
        raise NotImplementedError

    def _answer_each(
        self, request: HttpRequest, queryset: QuerySet[Any], *, service: Callable[..., None], result: str
    ) -> None:
        for row in queryset.select_related("rotation", "requester", "counterpart").order_by("pk"):
            try:
                service(row, by=request_admin(request), at=timezone.now())
            except DomainError as error:
                messages.error(request, f"{row}: {error}")
            else:
                messages.success(request, f"{row}: {result}.")


@admin.register(SwapRequest)
class SwapRequestAdmin(RequestAdmin):
    """Swap requests."""

    list_display = (
        "rotation",
        "requester",
        "offered_week",
        "counterpart",
        "wanted_week",
        "state",
        "created_at",
        "decided_by",
    )
    date_hierarchy = "offered_week"

    def accept_request(self, row: SwapRequest, *, by: User, at: dt.datetime) -> None:
        accept_swap(row, by=by, at=at)

    def withdraw_request(self, row: SwapRequest, *, by: User, at: dt.datetime) -> None:
        cancel_swap(row, by=by, at=at)


@admin.register(CoverRequest)
class CoverRequestAdmin(RequestAdmin):
    """Cover requests."""

    list_display = (
        "rotation",
        "requester",
        "starts_at",
        "ends_at",
        "counterpart",
        "state",
        "created_at",
        "decided_by",
    )
    date_hierarchy = "starts_at"

    def accept_request(self, row: CoverRequest, *, by: User, at: dt.datetime) -> None:
        accept_cover_request(row, by=by, at=at)

    def withdraw_request(self, row: CoverRequest, *, by: User, at: dt.datetime) -> None:
        cancel_cover_request(row, by=by, at=at)


@admin.register(CalendarLink)
class CalendarLinkAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[CalendarLink]):
    """Linked calendars and their status. Engineers connect their own; an admin can disconnect any."""

    list_display = ("engineer", "host", "state", "problem", "last_read_at", "last_success_at")
    list_filter = ("state",)
    list_select_related = ("engineer",)
    fields = ("engineer", "host", "state", "problem", "last_read_at", "last_success_at")
    actions = ("unlink",)

    @admin.action(description="Disconnect selected calendars", permissions=["view"])
    def unlink(self, request: HttpRequest, queryset: QuerySet[CalendarLink]) -> None:
        """Disconnect the calendars and delete the time off imported from them."""
        links = list(queryset.select_related("engineer"))
        for link in links:
            unlink_calendar(link, by=request_admin(request))
        messages.success(request, f"{len(links)} calendar{'s' if len(links) != 1 else ''} disconnected.")


@admin.register(CoverageGap)
class CoverageGapAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[CoverageGap]):
    """Coverage gaps found by the sweep."""

    list_display = ("pipeline", "starts_at", "ends_at", "found_at")
    list_select_related = ("pipeline",)
