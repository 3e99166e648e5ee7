"""The people of the site, for admins: who was invited, who has an account, and a form that invites many."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from common.exceptions import InvalidInputError
from common.forms import MultilineField, add_field_errors
from oncall_site.invitations import EXAMPLE, has_addresses, invite_people, read_invitees
from people.models import PasswordLink, User
from people.requests import SignedInRequest, require_recent_password

PEOPLE_PER_PAGE = 100


class InvitationForm(forms.Form):
    """A pasted list of people."""

    people = MultilineField(
        max_length=40_000,
        label="Names and e-mail addresses",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "placeholder": EXAMPLE}),
        help_text="One person per line. Each new name creates an engineer.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: SignedInRequest) -> HttpResponse:
    """List people with their invitations and last sign-in, or invite those of a list. Admins only."""
    if not request.user.is_staff:
        raise PermissionDenied
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            invitees = read_invitees(form.cleaned_data["people"])
            if has_addresses(invitees):
                require_recent_password(request)
            invited, members = invite_people(invitees, by=request.user, at=timezone.now())
        except InvalidInputError as error:
            add_field_errors(form, error)
        else:
            if invited:
                messages.success(request, f"Invited: {', '.join(map(str, invited))}.")
            if members:
                messages.warning(
                    request, f"Not invited because they already have a password: {', '.join(map(str, members))}."
                )
            return redirect("people")
    links = PasswordLink.objects.filter(user=OuterRef("pk"), purpose=PasswordLink.Purpose.INVITATION)
    newest = links.order_by("-created_at", "-pk")
    rows = User.objects.order_by("-is_active", "display_name", "pk").annotate(
        invited_at=Subquery(newest.values("created_at")[:1]), accepted_at=Subquery(newest.values("used_at")[:1])
    )
    page = Paginator(rows, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "now": timezone.now()}
    return render(request, "oncall_site/people.html", context, status=400 if form.errors else 200)
