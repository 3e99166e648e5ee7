"""Serializers of incidents: people by user name, pipelines by slug."""

from typing import Any

from rest_framework import serializers

from common.api.fields import InstantField, LineField, MultilineField
from incidents.models import (
    MAX_NOTE_LENGTH,
    MAX_TEXT_LENGTH,
    MAX_TITLE_LENGTH,
    EscalationStep,
    Failure,
    Incident,
    RunStep,
    TimelineEntry,
)
from incidents.queries.stopwatch import StopwatchStep
from people.serializers import UsernameField
from pipelines.serializers import PipelineField


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """An incident of a pipeline."""

    pipeline = PipelineField()
    kind = serializers.ChoiceField(Incident.Kind.choices)
    severity = serializers.ChoiceField(Incident.Severity.choices, default=Incident.Severity.HIGH)
    text = MultilineField(required=False, allow_blank=True, default="", max_length=MAX_TEXT_LENGTH)
    check_id = serializers.IntegerField(read_only=True, allow_null=True)
    held = serializers.BooleanField(
        source="is_held",
        read_only=True,
        help_text="Escalation is paused for maintenance or for an upstream incident.",
    )
    parent = serializers.IntegerField(  # type: ignore[assignment]  # DRF has an attribute of that name
        source="parent_id",
        read_only=True,
        allow_null=True,
        help_text="ID of the upstream incident that explained the failure when this one was opened.",
    )
    opened_by = UsernameField(read_only=True)
    acknowledged_by = UsernameField(read_only=True)
    resolved_by = UsernameField(read_only=True)
    assignee = UsernameField(read_only=True)

    class Meta:
        model = Incident
        fields: tuple[str, ...] = (
            "id",
            "pipeline",
            "kind",
            "severity",
            "title",
            "text",
            "state",
            "source",
            "check_id",
            "fingerprint",
            "opened_at",
            "opened_by",
            "acknowledged_at",
            "acknowledged_by",
            "resolved_at",
            "resolved_by",
            "assignee",
            "next_escalation_at",
            "snoozed_until",
            "held",
            "parent",
            "repeats",
            "last_seen_at",
            "recovered_at",
        )
        read_only_fields = (
            "state",
            "source",
            "fingerprint",
            "opened_at",
            "acknowledged_at",
            "resolved_at",
            "next_escalation_at",
            "snoozed_until",
            "repeats",
            "last_seen_at",
            "recovered_at",
        )
        # The service validates, with messages for people.
        validators: list[Any] = []


class IncidentRowSerializer(IncidentSerializer):
    """An incident in a list: without its text, which may be long."""

    text = None  # type: ignore[assignment]  # DRF's way to leave a field out

    class Meta(IncidentSerializer.Meta):
        fields = tuple(name for name in IncidentSerializer.Meta.fields if name != "text")


class TimelineEntrySerializer(serializers.ModelSerializer[TimelineEntry]):
    """An entry of an incident's timeline; `by` is null for the system."""

    by = UsernameField(read_only=True)
    details = serializers.DictField(source="data", read_only=True)

    class Meta:
        model = TimelineEntry
        fields = ("kind", "at", "by", "text", "details")


class EscalationStepSerializer(serializers.ModelSerializer[EscalationStep]):
    """Who was notified, in which role, when, and in which round; reopening starts a new round."""

    engineer = UsernameField(read_only=True)

    class Meta:
        model = EscalationStep
        fields = ("engineer", "role", "at", "round")


class SimilarIncidentSerializer(serializers.Serializer[Any]):
    """A similar past incident, with the runbook step that fixed it and its resolution comment."""

    id = serializers.IntegerField(source="incident.pk")
    pipeline = serializers.SlugField(source="incident.pipeline.slug")
    title = serializers.CharField(source="incident.title")
    opened_at = serializers.DateTimeField(source="incident.opened_at")
    resolved_at = serializers.DateTimeField(source="incident.resolved_at")
    fixed_by = serializers.CharField(allow_blank=True, help_text="Text of the runbook step.")
    comment = serializers.CharField(allow_blank=True)


class FailureSerializer(serializers.ModelSerializer[Failure]):
    """A failing check in an incident; `recovered_at` is null while it fails, `check_id` for a check of another tool."""

    class Meta:
        model = Failure
        fields = (
            "check_id",
            "fingerprint",
            "title",
            "text",
            "started_at",
            "last_seen_at",
            "repeats",
            "recovered_at",
        )
        read_only_fields = fields


class RunStepSerializer(serializers.ModelSerializer[RunStep]):
    """A step of a runbook run, with the runbook's revision."""

    revision = serializers.IntegerField(source="run.revision", read_only=True)
    done = serializers.BooleanField(source="is_done", read_only=True)
    done_by = UsernameField(read_only=True)

    class Meta:
        model = RunStep
        fields = ("position", "text", "html", "revision", "done", "done_at", "done_by", "note", "fixed_incident")
        read_only_fields = fields


class IncidentDetailSerializer(IncidentSerializer):
    """An incident with its newest timeline entries, notifications and failing checks, in order, and the steps of its newest run."""

    failures = FailureSerializer(many=True, read_only=True)
    timeline = TimelineEntrySerializer(many=True, read_only=True)
    notified = EscalationStepSerializer(source="escalation_steps", many=True, read_only=True)
    steps = RunStepSerializer(source="newest_run_steps", many=True, read_only=True)
    children = serializers.SerializerMethodField(help_text="IDs of the newest 50 incidents below it, newest first.")

    class Meta(IncidentSerializer.Meta):
        fields = (*IncidentSerializer.Meta.fields, "failures", "timeline", "notified", "steps", "children")

    def get_children(self, incident: Incident) -> list[int]:
        """Return the IDs of the incidents below it; reads only prefetched rows."""
        return [child.pk for child in incident.children.all()]


class IncidentUpdateSerializer(serializers.Serializer[Any]):
    """Corrections of an incident."""

    kind = serializers.ChoiceField(Incident.Kind.choices, required=False)
    severity = serializers.ChoiceField(Incident.Severity.choices, required=False)
    title = LineField(required=False, max_length=MAX_TITLE_LENGTH)
    text = MultilineField(required=False, allow_blank=True, max_length=MAX_TEXT_LENGTH)


class CommentSerializer(serializers.Serializer[Any]):
    """An optional comment."""

    text = MultilineField(required=False, allow_blank=True, default="", max_length=MAX_TEXT_LENGTH)


class ResolveSerializer(CommentSerializer):
    """The resolution, and the position of the runbook step that fixed the incident if one did."""

    fixed_by_step = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=9999)


class SnoozeSerializer(serializers.Serializer[Any]):
    """When the snooze ends."""

    until = InstantField()


class ReassignSerializer(CommentSerializer):
    """The new assignee, with context for them."""

    engineer = UsernameField()


class MarkStepSerializer(serializers.Serializer[Any]):
    """A step by its position, from 1: mark it as done (the default without a note) or not done, and save its note."""

    position = serializers.IntegerField(min_value=1, max_value=9999)
    done = serializers.BooleanField(required=False)
    note = MultilineField(required=False, allow_blank=True, max_length=MAX_NOTE_LENGTH)
    note_shown = MultilineField(
        required=False,
        allow_blank=True,
        max_length=MAX_NOTE_LENGTH,
        help_text="The note that you saw before. If someone else has changed it since, both texts are saved.",
    )


class StopwatchStepSerializer(serializers.Serializer[Any]):
    """A step since an incident opened; `after_seconds` is null for a message that was not sent."""

    what = serializers.CharField()
    detail = serializers.CharField()
    after_seconds = serializers.SerializerMethodField()

    def get_after_seconds(self, step: StopwatchStep) -> float | None:
        """Return the seconds since the incident opened."""
        return None if step.after is None else round(step.after.total_seconds(), 1)
