"""API of reader links and notes."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField
from people.permissions import request_user
from pipelines.models import Pipeline
from pipelines.serializers import PipelinesField
from readiness.models import MAX_NOTE_LENGTH, ReaderNote, ReadersLink
from readiness.queries.readers import link_url, readers_links
from readiness.services.readers import create_link, revoke_link, write_note


class ReadersLinkSerializer(serializers.ModelSerializer[ReadersLink]):
    """A reader link. Only the start of its secret is shown."""

    pipelines = PipelinesField()
    created_by = serializers.CharField(source="created_by.username", read_only=True, allow_null=True, default=None)

    class Meta:
        model = ReadersLink
        fields = ("id", "name", "pipelines", "prefix", "created_at", "created_by")
        read_only_fields = ("prefix", "created_at", "created_by")


class NewReadersLinkSerializer(ReadersLinkSerializer):
    """A new reader link with its full URL, which is returned only once."""

    url = serializers.SerializerMethodField()

    class Meta(ReadersLinkSerializer.Meta):
        fields = (*ReadersLinkSerializer.Meta.fields, "url")  # type: ignore[assignment]  # extends the parent's fields

    def get_url(self, _link: ReadersLink) -> str:
        """Return the URL with the secret, which only the view that created the link has."""
        return link_url(self.context["secret"])


@extend_schema_view(destroy=extend_schema(description="Revoke a link. Its page stops working at once."))
class ReadersLinkViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[ReadersLink]
):
    """Reader links that are not revoked, newest first."""

    serializer_class = ReadersLinkSerializer
    queryset = readers_links()
    lookup_value_regex = "[0-9]{1,15}"

    @extend_schema(request=ReadersLinkSerializer, responses={201: NewReadersLinkSerializer})
    def create(self, request: Request) -> Response:
        """Create a reader link. The URL is returned only in this response."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        new_link = create_link(**serializer.validated_data, by=request_user(request))
        data = NewReadersLinkSerializer(new_link.link, context={"secret": new_link.secret}).data
        return Response(data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: ReadersLink) -> None:
        """Revoke the link."""
        revoke_link(instance, by=request_user(self.request), at=timezone.now())


class ReaderNoteSerializer(serializers.Serializer[Any]):
    """One sentence about a pipeline for readers, or "" for none."""

    text = LineField(max_length=MAX_NOTE_LENGTH, allow_blank=True)


@extend_schema(methods=["GET"], responses=ReaderNoteSerializer, operation_id="pipelines_readers_note_retrieve")
@extend_schema(
    methods=["PUT"],
    request=ReaderNoteSerializer,
    responses=ReaderNoteSerializer,
    operation_id="pipelines_readers_note_update",
)
@api_view(["GET", "PUT"])
def reader_note(request: Request, slug: str) -> Response:
    """Retrieve or write the note that readers see about a pipeline. An empty note removes it."""
    pipeline = get_object_or_404(Pipeline, slug=slug)
    if request.method == "PUT":
        serializer = ReaderNoteSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        write_note(pipeline, text=serializer.validated_data["text"], by=request_user(request), at=timezone.now())
    note = ReaderNote.objects.filter(pipeline=pipeline).first()
    return Response(ReaderNoteSerializer({"text": note.text if note else ""}).data)
