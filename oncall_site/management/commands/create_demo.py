"""Fills an empty site with the example handbook, an admin and the demo warehouse."""

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from handbook.services import import_handbook
from oncall_site.demo import DEMO_FILE, DEMO_SOURCE, build_demo, grow_demo
from oncall_site.demo_evidence import add_evidence
from oncall_site.demo_history import build_history, first_week
from oncall_site.demo_lineage import build_lineage
from people.models import User
from people.services.accounts import change_profile, set_password
from validation.models import DataSource

EXAMPLE = settings.BASE_DIR / "examples" / "handbook.md"


class Command(BaseCommand):
    """`manage.py create_demo`: does nothing if the site has users."""

    help = "Fill an empty site with a demo team, and print their passwords once."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exists():
            # Before any check runs: the site may have been off for days.
            grow_demo(settings.VAR / DEMO_FILE, at=timezone.now())
            return
        at = timezone.now()
        import_handbook(EXAMPLE.read_bytes(), at=at, starting=first_week(at))
        admin = User(username="admin", display_name="Admin", is_staff=True)
        admin.full_clean(exclude=["password"])
        admin.save()
        build_demo(settings.VAR / DEMO_FILE, by=admin, at=at)
        add_evidence(DataSource.objects.get(name=DEMO_SOURCE), by=admin, at=at)
        build_history(settings.VAR / DEMO_FILE, by=admin, at=at)
        readers_page = build_lineage(by=admin, at=at)
        self.stdout.write("Demo accounts. The passwords are shown only once:\n")
        for number, user in enumerate(User.objects.order_by("-is_staff", "pk")):
            password = secrets.token_urlsafe(9)
            set_password(user, password=password)
            # Reserved for examples (RFC 2606) and for drama (Ofcom): nobody has these addresses.
            contact: dict[str, object] = {"email": f"{user.username}@example.org", "phone": f"+44 7700 900{number:03}"}
            change_profile(user, fields=contact)
            self.stdout.write(f"  {user.username:<12} {password}")
        self.stdout.write(f"A page for readers without an account:\n  {readers_page}")
