"""API views that import and list the results of other tools."""

from collections.abc import Mapping
from typing import IO, Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import api_view, parser_classes
from rest_framework.exceptions import APIException, NotFound
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.filters import ListFilterBackend
from common.exceptions import InvalidInputError
from common.identifiers import ID_PATTERN
from pipelines.models import Pipeline
from validation.api.filters import ExternalCheckFilters
from validation.importers.files import KINDS, parsed
from validation.importers.results import UnreadableFileError
from validation.models import ExternalCheck
from validation.queries.external import external_checks
from validation.services.external_results import record_file

MAX_FILE_BYTES = 32 * 1024 * 1024


class FileTooLargeError(APIException):
    """The file exceeds the size limit."""

    status_code = 413
    default_detail = f"The file is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB."


class RawJsonParser(BaseParser):
    """Parser for the files of other tools. The importers read the JSON, so that invalid files get their error messages."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the parsed file as `document`; raise InvalidInputError if it is not JSON."""
        data = stream.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise FileTooLargeError
        try:
            return {"document": parsed(data)}
        except UnreadableFileError as unreadable:
            raise InvalidInputError({"file": [str(unreadable)]}) from unreadable


class ImportSerializer(serializers.Serializer[Any]):
    """Counts of new and already known results, and the keys that no rule maps to a pipeline."""

    new = serializers.IntegerField()
    known = serializers.IntegerField()
    unmapped = serializers.ListField(child=serializers.CharField())


@extend_schema(
    request=OpenApiTypes.OBJECT,
    responses=ImportSerializer,
    parameters=[OpenApiParameter("kind", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(KINDS))],
)
@api_view(["POST"])
@parser_classes([RawJsonParser])
def integration(request: Request, kind: str) -> Response:
    """Import the results in a tool's file, posted as the tool wrote it. Posting a file twice changes nothing."""
    if kind not in KINDS:
        raise NotFound(f"Unknown integration “{kind}”. Use one of {', '.join(KINDS)}.")
    posted = request.data
    document = posted.get("document") if isinstance(posted, dict) else None
    result = record_file(kind, document=document, at=timezone.now())
    return Response(ImportSerializer(result).data)


class ExternalCheckSerializer(serializers.ModelSerializer[ExternalCheck]):
    """A check of another tool, with its last result."""

    pipeline = serializers.SlugRelatedField[Pipeline](slug_field="slug", read_only=True)
    stale = serializers.BooleanField(
        source="is_stale", read_only=True, help_text="Skipped because something upstream failed."
    )

    class Meta:
        model = ExternalCheck
        fields = (
            "id",
            "tool",
            "key",
            "name",
            "subject",
            "column",
            "measure",
            "pipeline",
            "status",
            "stale",
            "value",
            "message",
            "at",
        )


class ExternalCheckViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ExternalCheck]):
    """Checks of other tools, with their last results."""

    serializer_class = ExternalCheckSerializer
    queryset = external_checks()
    lookup_value_regex = ID_PATTERN
    filter_backends = [ListFilterBackend]
    filterset_class = ExternalCheckFilters
