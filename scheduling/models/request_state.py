"""States of swap requests and cover requests."""

from django.db import models


class RequestState(models.TextChoices):
    """State of a request from one engineer to others."""

    PENDING = "pending", "Open"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    CANCELLED = "cancelled", "Withdrawn"
    EXPIRED = "expired", "Expired"
    VOID = "void", "Superseded"
