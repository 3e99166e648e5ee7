"""API views that import and list the results of other tools."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import api_view, parser_classes
from rest_framework.exceptions import APIException, NotFound, Throttled
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import ShortListField
from common.api.filters import ListFilterBackend
from common.exceptions import InvalidInputError
from common.identifiers import ID_PATTERN
from pipelines.models import Pipeline
from validation.api.filters import ExternalCheckFilters
from validation.importers.files import KINDS, parsed
from validation.importers.json_stream import PIECE_BYTES
from validation.importers.results import UnreadableFileError
from validation.models import ExternalCheck
from validation.queries.external import external_checks
from validation.services.external_results import ImportSummary
from validation.services.imports import MAX_FILE_BYTES, MAX_MANIFEST_BYTES, ImportBusyError, import_file

RETRY_SECONDS = 5
# Keys, and edges, in the response to an import.
MAX_LISTED = 1_000


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


class PiecesParser(BaseParser):
    """Parser for the files of other tools. Large files are read piece by piece."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the pieces of the file as `pieces`. They raise FileTooLargeError at the limit of their kind."""
        kind = (parser_context or {}).get("kwargs", {}).get("kind")
        return {"pieces": read_pieces(stream, max_bytes=MAX_MANIFEST_BYTES if kind == "dbt" else MAX_FILE_BYTES)}


class GzipParser(PiecesParser):
    """The same for files sent as gzip."""

    media_type = "application/gzip"


def read_pieces(stream: IO[Any], *, max_bytes: int) -> Iterator[bytes]:
    """Return a stream in pieces; raise FileTooLargeError after `max_bytes`."""
    total = 0
    while piece := stream.read(PIECE_BYTES):
        total += len(piece)
        if total > max_bytes:
            raise FileTooLargeError(f"The file is larger than {max_bytes // 1024 // 1024} MiB.")
        yield piece


class ImportSerializer(serializers.Serializer[Any]):
    """Counts of new and already known results or dbt nodes, and the keys that no rule maps to a pipeline."""

    new = serializers.IntegerField()
    known = serializers.IntegerField()
    unmapped = ShortListField(limit=MAX_LISTED, help_text=f"Keys without a pipeline, the first {MAX_LISTED:,}.")
    unmapped_total = serializers.SerializerMethodField()
    refused = ShortListField(
        limit=MAX_LISTED, help_text=f"Edges between pipelines that would close a cycle, the first {MAX_LISTED:,}."
    )
    outdated = serializers.BooleanField(help_text="True if a newer manifest was imported before: nothing changed.")

    def get_unmapped_total(self, summary: ImportSummary) -> int:
        """Return the number of all keys without a pipeline."""
        return len(summary.unmapped)


@extend_schema(
    request=OpenApiTypes.OBJECT,
    responses=ImportSerializer,
    parameters=[OpenApiParameter("kind", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(KINDS))],
)
@api_view(["POST"])
@parser_classes([PiecesParser, GzipParser])
def integration(request: Request, kind: str) -> Response:
    """Import a tool's file, posted as the tool wrote it or as gzip. Posting a file twice changes nothing."""
    if kind not in KINDS:
        raise NotFound(f"Unknown integration “{kind}”. Use one of {', '.join(KINDS)}.")
    pieces = request.data.get("pieces", ()) if isinstance(request.data, dict) else ()
    try:
        result = import_file(kind, pieces=pieces, at=timezone.now())
    except ImportBusyError as error:
        # If the body stayed unread, the connection would close before the client reads the response.
        deque(pieces, maxlen=0)
        raise Throttled(wait=RETRY_SECONDS, detail="Another large file is being imported.") from error
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
