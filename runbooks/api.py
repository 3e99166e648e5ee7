"""API of runbooks."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField, MultilineField
from common.api.pagination import DefaultPagination
from people.models import User
from runbooks import queries, services
from runbooks.models import Runbook, RunbookRevision, RunbookSection


class SectionSerializer(serializers.ModelSerializer[RunbookSection]):
    """A rendered section of a runbook."""

    class Meta:
        model = RunbookSection
        fields = ("title", "anchor", "html")


class RunbookSerializer(serializers.ModelSerializer[Runbook]):
    """A runbook: its Markdown, rendered HTML, sections, and current revision number."""

    pipeline = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    markdown = serializers.SerializerMethodField()
    html = serializers.SerializerMethodField()
    sections = SectionSerializer(many=True, read_only=True)

    class Meta:
        model = Runbook
        fields = ("pipeline", "title", "markdown", "html", "sections", "revision")

    def get_markdown(self, runbook: Runbook) -> str:
        """Return the current Markdown."""
        return queries.current_revision(runbook).markdown

    def get_html(self, runbook: Runbook) -> str:
        """Return the current text as sanitised HTML."""
        return queries.current_revision(runbook).html


class RunbookTextSerializer(serializers.Serializer[Any]):
    """A new text for a runbook, with the revision that it is based on."""

    markdown = MultilineField(allow_blank=True, trim_whitespace=False)
    revision = serializers.IntegerField(min_value=1, max_value=2_000_000_000)
    summary = LineField(required=False, allow_blank=True, max_length=200, default="")


class RevisionSerializer(serializers.ModelSerializer[RunbookRevision]):
    """A revision of a runbook."""

    revision = serializers.IntegerField(source="number")
    author = serializers.SlugRelatedField[User](slug_field="username", read_only=True)

    class Meta:
        model = RunbookRevision
        fields = ("revision", "author", "summary", "restored_from", "created_at", "markdown")


class RunbookViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Runbook]):
    """Runbooks, identified by the slug of their pipeline."""

    serializer_class = RunbookSerializer
    queryset = queries.runbooks()
    lookup_field = "pipeline__slug"
    lookup_url_kwarg = "slug"
    lookup_value_regex = "[a-z0-9-]+"

    @extend_schema(request=RunbookTextSerializer, responses=RunbookSerializer)
    def update(self, request: Request, slug: str) -> Response:
        """Save a new text.

        Returns 409 with both texts if the runbook has a newer revision, and 413 if the text is too large.
        """
        runbook = self.get_object()
        serializer = RunbookTextSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        author = request.user if isinstance(request.user, User) else None
        try:
            services.save_revision(
                runbook,
                markdown=serializer.validated_data["markdown"],
                based_on=serializer.validated_data["revision"],
                author=author,
                summary=serializer.validated_data["summary"],
            )
        except services.TextTooLargeError as error:
            return Response(error.problems, status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        return Response(RunbookSerializer(self.get_object()).data)

    @extend_schema(responses=RevisionSerializer(many=True))
    @action(detail=True)
    def revisions(self, request: Request, slug: str) -> Response:
        """List a runbook's revisions, newest first."""
        rows = self.get_object().revisions.select_related("author").order_by("-number")
        paginator = DefaultPagination()
        page = paginator.paginate_queryset(rows, request, view=self) or []
        return paginator.get_paginated_response(RevisionSerializer(page, many=True).data)

    @extend_schema(responses=RevisionSerializer)
    @action(detail=True, url_path="revisions/(?P<number>[0-9]{1,9})", url_name="revision")
    def revision(self, request: Request, slug: str, number: str) -> Response:
        """Return a revision."""
        row = queries.find_revision(self.get_object(), number=int(number))
        if row is None:
            raise Http404
        return Response(RevisionSerializer(row).data)
