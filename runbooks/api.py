"""API of runbooks."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField, MultilineField
from common.api.filters import BooleanFilter, ListFilterBackend
from common.api.pagination import DefaultPagination
from people.models import User
from people.permissions import request_user
from runbooks import queries, services
from runbooks.models import Runbook, RunbookRevision, RunbookSection


class SectionSerializer(serializers.ModelSerializer[RunbookSection]):
    """A rendered section of a runbook."""

    class Meta:
        model = RunbookSection
        fields = ("title", "anchor", "html")


class RunbookSerializer(serializers.ModelSerializer[Runbook]):
    """A runbook: its Markdown, rendered HTML, sections, and current revision number.

    `deleted_at`, `deleted_by` and `restorable_until` are null unless it is deleted.
    """

    pipeline = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    markdown = serializers.SerializerMethodField()
    html = serializers.SerializerMethodField()
    sections = SectionSerializer(many=True, read_only=True)
    deleted_by = serializers.SlugRelatedField[User](slug_field="username", read_only=True)
    restorable_until = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = Runbook
        fields = (
            "pipeline",
            "title",
            "markdown",
            "html",
            "sections",
            "revision",
            "deleted_at",
            "deleted_by",
            "restorable_until",
        )
        read_only_fields = ("deleted_at",)

    def get_markdown(self, runbook: Runbook) -> str:
        """Return the current Markdown."""
        return queries.current_revision(runbook).markdown

    def get_html(self, runbook: Runbook) -> str:
        """Return the current text as sanitised HTML."""
        return queries.current_revision(runbook).html


class RunbookTextSerializer(serializers.Serializer[Any]):
    """A new text for a runbook, with the revision that it is based on."""

    markdown = MultilineField(trim_whitespace=False)
    revision = serializers.IntegerField(min_value=1, max_value=2_000_000_000)
    summary = LineField(required=False, allow_blank=True, max_length=200, default="")


class RevisionSerializer(serializers.ModelSerializer[RunbookRevision]):
    """A revision of a runbook."""

    revision = serializers.IntegerField(source="number")
    author = serializers.SlugRelatedField[User](slug_field="username", read_only=True)

    class Meta:
        model = RunbookRevision
        fields = ("revision", "author", "summary", "restored_from", "created_at", "markdown")


class RunbookFilters(FilterSet):
    """Filter runbooks by whether they are deleted."""

    deleted = BooleanFilter(
        method="filter_deleted", help_text="Deleted runbooks that can be restored, instead of others."
    )

    def filter_deleted(self, rows: QuerySet[Runbook], name: str, value: bool) -> QuerySet[Runbook]:  # noqa: FBT001  # django-filter's signature
        """Return the runbooks that are deleted, or those that are not."""
        return queries.runbooks(deleted=value)


class RunbookViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Runbook]):
    """Runbooks, identified by the slug of their pipeline."""

    serializer_class = RunbookSerializer
    queryset = queries.runbooks()
    lookup_field = "pipeline__slug"
    lookup_url_kwarg = "slug"
    lookup_value_regex = "[a-z0-9-]+"
    filter_backends = [ListFilterBackend]
    filterset_class = RunbookFilters

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

    @extend_schema(responses={200: RunbookSerializer})
    def destroy(self, request: Request, slug: str) -> Response:
        """Delete a runbook; it can be restored until `restorable_until`."""
        runbook = self.get_object()
        services.delete_runbook(runbook, by=request_user(request), at=timezone.now())
        return Response(RunbookSerializer(queries.runbooks(deleted=True).get(pk=runbook.pk)).data)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def read(self, request: Request, slug: str) -> Response:
        """Record that you have read the current revision."""
        services.mark_read(self.get_object(), by=request_user(request))
        return Response(status=204)

    @extend_schema(request=None, responses=RunbookSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, slug: str) -> Response:
        """Restore a deleted runbook with its revisions."""
        services.restore_runbook(get_object_or_404(Runbook.all_objects.all(), pipeline__slug=slug))
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
