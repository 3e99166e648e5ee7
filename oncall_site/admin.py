"""Django's admin of people, with their invitations."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.exceptions import DomainError
from oncall_site import services
from people.models import User
from scheduling.admin import EngineerAdmin

admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(EngineerAdmin):
    """People, who are invited by mail."""

    actions = (*EngineerAdmin.actions, "invite", "send_new_password")

    @admin.action(description="Invite the selected people by mail", permissions=["change"])
    def invite(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Mail each a link by which they set their first password."""
        _mail(request, queryset, reset=False)

    @admin.action(description="Mail the selected people a link for a new password", permissions=["change"])
    def send_new_password(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Mail each a link by which they set another password."""
        _mail(request, queryset, reset=True)


def _mail(request: HttpRequest, people: QuerySet[User], *, reset: bool) -> None:
    assert isinstance(request.user, User)  # noqa: S101  # nosec B101  # the admin is behind sign-in
    sent = 0
    for user in people:
        try:
            services.invite(user, by=request.user, at=timezone.now(), reset=reset)
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            sent += 1
    if sent:
        messages.success(request, f"{sent} mail{'s are' if sent > 1 else ' is'} on the way.")
