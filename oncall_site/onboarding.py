"""Setup steps: for the admin of a new site, and for a new engineer."""

import datetime as dt
from dataclasses import dataclass

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.urls import reverse

from calendar_feeds.queries import active_feeds
from notifications.models import ContactMethod, PushDevice
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation, RotationWeek

# For this long after they were added, an engineer sees the open steps on the Now page too.
NEW_ENGINEER_PERIOD = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Step:
    """A setup step, with the URL of its page and a hint."""

    title: str
    done: bool
    url: str
    hint: str


@dataclass(frozen=True, slots=True)
class SetupProgress:
    """How many of the setup steps are done, and the next one."""

    done: int
    total: int
    next: Step


def setup_progress(user: User) -> SetupProgress | None:
    """Return an engineer's progress in `engineer_steps`, or None if all are done."""
    steps = engineer_steps(user)
    missing = [step for step in steps if not step.done]
    return SetupProgress(len(steps) - len(missing), len(steps), missing[0]) if missing else None


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


def engineer_steps(user: User) -> list[Step]:
    """Return the steps with which an engineer can be reached and planned for, or an empty list if all are done."""
    has_contact_method = (
        ContactMethod.objects.live().filter(person=user).exists()
        or PushDevice.objects.live().filter(person=user).exists()
    )
    steps = [
        Step(
            "Add your phone number",
            bool(user.phone),
            reverse("profile"),
            "Colleagues call it when something is urgent.",
        ),
        Step("Choose your country", bool(user.country), reverse("profile"), "So that your public holidays are known."),
        Step(
            "Turn on push or add a contact method",
            has_contact_method,
            reverse("notifications"),
            "A push message is faster than a mail.",
        ),
        Step(
            "Subscribe to your calendar",
            active_feeds(user).exists(),
            reverse("my_feeds"),
            "Shifts and hand-offs in your calendar app.",
        ),
    ]
    return [] if all(step.done for step in steps) else steps
