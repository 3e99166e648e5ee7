"""The profile page. It is here because a new e-mail address notifies the old one."""

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from oncall_site import services
from people.forms import ProfileForm
from people.models import User, time_zones
from people.queries import subdivision_names
from people.requests import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: SignedInRequest) -> HttpResponse:
    """Show or update the user's profile. A new e-mail address needs a fresh confirmation of the password."""
    user = User.objects.get(pk=request.user.pk)
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=user)
    if not form.is_bound or not form.is_valid():
        return _form_page(request, form)
    if "email" in form.changed_data and not did_recently_reauthenticate(request):
        # allauth asks for the password, then repeats this request.
        raise ReauthenticationRequired
    user = User.objects.get(pk=request.user.pk)
    try:
        services.change_profile(user, fields=form.cleaned_data, at=timezone.now())
    except ValidationError as error:
        # Another person was given the name at the same moment.
        form.add_error(None, error)
        return _form_page(request, form)
    messages.success(request, "Profile saved.")
    return redirect("profile")


def _form_page(request: SignedInRequest, form: ProfileForm) -> HttpResponse:
    country = form["country"].value() or ""
    context = {"form": form, "time_zones": sorted(time_zones()), "regions": subdivision_names(country)}
    return render(request, "people/profile.html", context, status=400 if form.errors else 200)
