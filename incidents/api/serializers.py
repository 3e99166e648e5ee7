"""Incidents as the API answers them: people by user name, pipelines by slug."""

from typing import Any

from rest_framework import serializers

from incidents.models import EscalationStep, Incident, RunStep, TimelineEntry
from people.serializers import UsernameField
from pipelines.models import Pipeline


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """An incident of a pipeline."""

    pipeline = serializers.SlugRelatedField(slug_field="slug", queryset=Pipeline.objects.order_by("pk"))
    kind = serializers.ChoiceField(Incident.Kind.choices)
    text = serializers.CharField(required=False, allow_blank=True, default="")
    check_id = serializers.IntegerField(source="check_key", read_only=True, allow_null=True)
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
            "repeats",
            "last_seen_at",
            "recovered_at",
        )
        # The command says what is wrong, in words.
        validators: list[Any] = []


class EntrySerializer(serializers.ModelSerializer[TimelineEntry]):
    """A step of an incident's timeline; `by` is null where the site did it."""

    by = UsernameField(read_only=True)
    facts = serializers.DictField(source="data", read_only=True)

    class Meta:
        model = TimelineEntry
        fields = ("kind", "at", "by", "text", "facts")


class EscalationStepSerializer(serializers.ModelSerializer[EscalationStep]):
    """Who was told, as what, when, and in which round: it rises when the incident is reopened."""

    engineer = UsernameField(read_only=True)

    class Meta:
        model = EscalationStep
        fields = ("engineer", "role", "at", "round")


class StepSerializer(serializers.ModelSerializer[RunStep]):
    """A step of the runbook run against an incident, with the revision it stands in."""

    revision = serializers.IntegerField(source="run.revision", read_only=True)
    done = serializers.SerializerMethodField()
    done_by = UsernameField(read_only=True)

    class Meta:
        model = RunStep
        fields = ("position", "text", "revision", "done", "done_at", "done_by", "note", "ended_incident")
        read_only_fields = fields

    def get_done(self, step: RunStep) -> bool:
        """Tell whether it is ticked."""
        return step.done_at is not None


class WholeIncidentSerializer(IncidentSerializer):
    """An incident with all that is known of it."""

    timeline = EntrySerializer(many=True, read_only=True)
    told = EscalationStepSerializer(source="tellings", many=True, read_only=True)
    steps = serializers.SerializerMethodField()

    class Meta(IncidentSerializer.Meta):
        fields = (*IncidentSerializer.Meta.fields, "timeline", "told", "steps")

    def get_steps(self, incident: Incident) -> list[dict[str, Any]]:
        """Return the steps of the newest run, none where the runbook was never run."""
        run = next(iter(incident.runs.all()), None)
        return list(StepSerializer(run.steps.all() if run else [], many=True).data)


class ChangeSerializer(serializers.Serializer[Any]):
    """What an incident is said to be, corrected."""

    kind = serializers.ChoiceField(Incident.Kind.choices, required=False)
    title = serializers.CharField(required=False)
    text = serializers.CharField(required=False, allow_blank=True)


class CommentSerializer(serializers.Serializer[Any]):
    """A word about what was done."""

    text = serializers.CharField(required=False, allow_blank=True, default="")


class ResolveSerializer(CommentSerializer):
    """A word about what ended it, and which step of the runbook did."""

    ended_by_step = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=9999)


class ReassignSerializer(CommentSerializer):
    """To whom an incident goes."""

    engineer = UsernameField()


class MarkSerializer(serializers.Serializer[Any]):
    """A step, by its position from 1: ticked where nothing else is said, or unticked; and its note."""

    position = serializers.IntegerField(min_value=1, max_value=9999)
    done = serializers.BooleanField(required=False)
    note = serializers.CharField(required=False, allow_blank=True)
