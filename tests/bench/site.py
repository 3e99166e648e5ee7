"""The site with one more path, an empty view of the same framework with the same authentication: what others are compared with."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")

import django

django.setup()

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import include, path
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response


@extend_schema(exclude=True)
@api_view(["GET"])
def empty(request):
    return Response([])


urlpatterns = [path("empty/", empty), path("", include("oncall_site.urls"))]
handler500 = "oncall_site.views.pages.server_error"
settings.ROOT_URLCONF = "tests.bench.site"

application = get_wsgi_application()
