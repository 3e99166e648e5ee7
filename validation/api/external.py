"""The API's calls by which other tools' results come in and are looked at."""

from collections.abc import Mapping
from typing import IO, Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import api_view, parser_classes
from rest_framework.exceptions import APIException, NotFound
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.exceptions import InvalidInputError
from pipelines.models import Pipeline
from validation.importers.files import KINDS, parsed
from validation.importers.results import ResultStatus, UnreadableFileError
from validation.models import TOOLS, ExternalCheck
from validation.queries.external import external_checks
from validation.services.external_results import record_file

LARGEST_FILE = 32 * 1024 * 1024


class TooLarge(APIException):
    """The file is larger than is read."""

    status_code = 413
    default_detail = f"The file is larger than {LARGEST_FILE // 1024 // 1024} MiB."


class RawJsonParser(BaseParser):
    """A tool's file as it is, parsed by the importers: JSON too deep or too odd is refused, whatever a framework makes of it."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the parsed file as `document`; raise Invalid for what is not JSON."""
        data = stream.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise TooLarge
        try:
            return {"document": parsed(data)}
        except UnreadableFileError as unreadable:
            raise InvalidInputError({"file": [str(unreadable)]}) from unreadable


class RecordedSerializer(serializers.Serializer[Any]):
    """What a file brought: new results, those known already, and keys that no rule gives to a pipeline yet."""

    new = serializers.IntegerField()
    known = serializers.IntegerField()
    unmapped = serializers.ListField(child=serializers.CharField())


@extend_schema(
    request=OpenApiTypes.OBJECT,
    responses=RecordedSerializer,
    parameters=[OpenApiParameter("kind", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(KINDS))],
)
@api_view(["POST"])
@parser_classes([RawJsonParser])
def integration(request: Request, kind: str) -> Response:
    """Keep the results of a tool's file, posted as the tool wrote it; the same file twice changes nothing."""
    if kind not in KINDS:
        raise NotFound(f"There is no integration “{kind}”: {', '.join(KINDS)}.")
    posted = request.data
    document = posted.get("document") if isinstance(posted, dict) else None
    recorded = record_file(kind, document=document, at=timezone.now())
    return Response(RecordedSerializer(recorded).data)


class ExternalCheckSerializer(serializers.ModelSerializer[ExternalCheck]):
    """Something that another tool judges, and what it said last."""

    pipeline = serializers.SlugRelatedField[Pipeline](slug_field="slug", read_only=True)

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
            "value",
            "message",
            "at",
        )


@extend_schema(
    parameters=[
        OpenApiParameter("tool", OpenApiTypes.STR, enum=[tool for tool, _ in TOOLS], description="Of one tool."),
        OpenApiParameter("pipeline", OpenApiTypes.STR, description="Of one pipeline, by slug."),
        OpenApiParameter("status", OpenApiTypes.STR, enum=[str(outcome) for outcome in ResultStatus]),
        OpenApiParameter("unmapped", OpenApiTypes.BOOL, description="Those that no rule gives to a pipeline."),
    ]
)
class ExternalCheckViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ExternalCheck]):
    """What other tools said last."""

    serializer_class = ExternalCheckSerializer
    queryset = external_checks()
    lookup_value_regex = "[0-9]{1,15}"

    def get_queryset(self) -> QuerySet[ExternalCheck]:
        """Return the checks that are asked about."""
        asked, rows = self.request.query_params, external_checks()
        for name, column in (("tool", "tool"), ("pipeline", "pipeline__slug"), ("status", "status")):
            word = asked.get(name, "")
            if "\x00" in word:
                raise InvalidInputError({name: ["A name has no NUL."]})
            if word:
                rows = rows.filter(**{column: word})
        return rows.unmapped() if asked.get("unmapped", "").casefold() in ("1", "true") else rows
