"""The site with one more path, an empty view of the same framework with the same authentication: what others are compared with."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")

import django
from django.db.models import BigAutoField, Q
from django.db.models.expressions import BaseExpression, Col

# The measure of the aims is the empty view as it was when they were set, with Django’s own methods and without memory for the frames of
# deep calls: both (docs/adr/0047) speed it up, too.
EARLIER_METHODS = [
    (owner, name, getattr(owner, name))
    for owner, name in ((Col, "__hash__"), (BaseExpression, "copy"), (BigAutoField, "rel_db_type"))
]
django.setup()

from django.conf import settings
from django.urls import include, path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, authentication_classes
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.response import Response

from common import call_stack
from people.authentication import TokenAuthentication
from people.models import ApiToken
from people.queries import bearer_secret, secret_digest
from people.services.accounts import LAST_USE_RESOLUTION

if os.environ.get("EARLIER"):
    # gunicorn.conf.py takes it from here when a worker starts.
    call_stack.with_deep_stack = lambda function: function
    for owner, name, method in EARLIER_METHODS:
        setattr(owner, name, method)


class EarlierAuthentication(TokenAuthentication):
    """Reads a token and its user with Django's ORM and stores each use, as every request did when the aims were set."""

    def authenticate(self, request):
        secret = bearer_secret(request.headers["Authorization"])
        at = timezone.now()
        token = ApiToken.objects.usable(at=at).select_related("user").filter(digest=secret_digest(secret)).first()
        if token is None:
            raise AuthenticationFailed
        unused = Q(last_used_at=None) | Q(last_used_at__lt=at - LAST_USE_RESOLUTION)
        ApiToken.objects.filter(unused, pk=token.pk).update(last_used_at=at)
        return token.user, token


@extend_schema(exclude=True)
@api_view(["GET"])
def empty(request):
    return Response([])


@extend_schema(exclude=True)
@api_view(["GET"])
@authentication_classes([EarlierAuthentication])
def earlier(request):
    return Response([])


urlpatterns = [
    path("empty/", empty),
    path("empty/earlier/", earlier),
    path("", include("oncall_site.urls")),
]
handler500 = "oncall_site.views.pages.server_error"
settings.ROOT_URLCONF = "tests.bench.site"

from oncall_site.wsgi import application  # noqa: F401  # the product's own, with these URLs
