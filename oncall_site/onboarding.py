"""What an admin of a new site has yet to do before the team can rely on it."""

from dataclasses import dataclass

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.urls import reverse

from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation, RotationWeek


@dataclass(frozen=True, slots=True)
class Step:
    """A step of setting up: what it is, whether it is done, where to do it, and a word of help."""

    title: str
    done: bool
    url: str
    hint: str


def onboarding_steps() -> list[Step]:
    """Return the steps of setting up, in order; none once all of them are done."""
    rotation = Rotation.objects.order_by("pk").first()
    owned, planned = Pipeline.objects.exists(), RotationWeek.objects.exists()
    people = User.objects.get_queryset().active()
    waiting = people.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX).count()
    alone = not people.filter(is_staff=False).exists()
    steps = [
        Step("Import the handbook", owned, reverse("handbook"), "Or add pipelines one by one in the admin."),
        Step(
            "Set who is on call from which Monday",
            planned,
            reverse("roster", args=[rotation.slug]) if rotation else reverse("handbook"),
            "The roster’s first engineer begins in the week you choose.",
        ),
        Step(
            f"Invite {waiting} engineer{'s' if waiting > 1 else ''}" if waiting else "Invite the engineers",
            not waiting and not alone,
            reverse("admin:people_user_changelist"),
            "They have no password yet. Give each an e-mail address, then invite them.",
        ),
    ]
    return [] if all(step.done for step in steps) else steps
