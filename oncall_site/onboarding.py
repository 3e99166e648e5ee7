"""Setup steps for the admin of a new site."""

from dataclasses import dataclass

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.urls import reverse

from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation, RotationWeek


@dataclass(frozen=True, slots=True)
class Step:
    """A setup step, with the URL of its page and a hint."""

    title: str
    done: bool
    url: str
    hint: str


def onboarding_steps() -> list[Step]:
    """Return the setup steps in order, or an empty list if all are done."""
    rotation = Rotation.objects.order_by("pk").first()
    users = User.objects.get_queryset().active()
    uninvited = users.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX).count()
    has_engineers = users.filter(is_staff=False).exists()
    steps = [
        Step("Import the handbook", Pipeline.objects.exists(), reverse("handbook"), "Or add pipelines by hand."),
        Step(
            "Choose the first on-call engineer and start date",
            RotationWeek.objects.exists(),
            reverse("roster", args=[rotation.slug]) if rotation else reverse("handbook"),
            "The first engineer of the roster starts in the selected week.",
        ),
        Step(
            f"Invite {uninvited} engineer{'s' if uninvited > 1 else ''}" if uninvited else "Invite the engineers",
            has_engineers and not uninvited,
            reverse("admin:people_user_changelist"),
            "Add e-mail addresses, then send invitations.",
        ),
    ]
    return [] if all(step.done for step in steps) else steps
