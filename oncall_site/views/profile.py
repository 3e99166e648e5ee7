"""The profile form of the account page. It is here because a new e-mail address notifies the old one."""

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from oncall_site import services
from people.forms import ProfileForm
from people.models import User
from people.requests import SignedInRequest
from people.views import account_page


@require_POST
def change_profile(request: SignedInRequest) -> HttpResponse:
    """Update the user's profile. A new e-mail address needs a fresh confirmation of the password."""
    form = ProfileForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if not form.is_valid():
        return account_page(request, status=400, profile_form=form)
    if "email" in form.changed_data and not did_recently_reauthenticate(request):
        # allauth asks for the password, then repeats this request.
        raise ReauthenticationRequired
    user = User.objects.get(pk=request.user.pk)
    try:
        services.change_profile(user, fields=form.cleaned_data, at=timezone.now())
    except ValidationError as error:  # a name was given to somebody else meanwhile
        form.add_error(None, error)
        return account_page(request, status=400, profile_form=form)
    messages.success(request, "Profile saved.")
    return redirect("account")
