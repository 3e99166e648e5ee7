"""The type of a request behind sign-in, and where a request comes from."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from people.models import User


class SignedInRequest(HttpRequest):
    """A request whose user is known: every view but sign-in, feeds and health gets one."""

    user: User
    htmx: HtmxDetails
