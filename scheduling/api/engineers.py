"""API endpoints to deactivate and reactivate engineers."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from people.api import PersonSerializer, PersonViewSet
from people.permissions import request_user
from scheduling.services import offboarding
from scheduling.services.offboarding import reactivate


class EngineerViewSet(PersonViewSet):
    """Engineers, by username. Admins can deactivate and reactivate them."""

    @extend_schema(request=None, responses=PersonSerializer)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, username: str) -> Response:
        """Deactivate an engineer and reassign all their on-call time at once."""
        person = self.get_object()
        offboarding.deactivate(person, by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(person).data)

    @extend_schema(request=None, responses=PersonSerializer)
    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, username: str) -> Response:
        """Reactivate an engineer."""
        person = self.get_object()
        reactivate(person, by=request_user(request))
        return Response(self.get_serializer(person).data)
