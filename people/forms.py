"""What a person types about themselves."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.utils import timezone

from people.models import ApiToken, User


class ProfileForm(forms.ModelForm[User]):
    """How I am shown and where I am."""

    class Meta:
        model = User
        fields = ("display_name", "email", "time_zone", "country", "subdivision", "colour")
        widgets = {
            "time_zone": forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
            "country": forms.TextInput(attrs={"list": "countries", "autocomplete": "off"}),
        }
        help_texts = {  # Django's own form
            "time_zone": "A name of the IANA database, such as Europe/Berlin.",
            "country": "Two letters, such as DE: whose public holidays are yours.",
            "subdivision": "Where the country's holidays differ by state, such as BE for Berlin.",
        }


class MyPasswordForm(PasswordChangeForm):
    """A new password; it stands at the end of a page, so that it must not draw the focus."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(max_length=80, help_text="What it is for, such as “pager script”.")
    scope = forms.ChoiceField(choices=ApiToken.Scope.choices, initial=ApiToken.Scope.WRITE, label="It may")
    expires_on = forms.DateField(
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day on which it works. Empty: it works until revoked.",
    )

    def clean_expires_on(self) -> dt.date | None:
        """Return the last day; raise ValidationError where it is over."""
        day: dt.date | None = self.cleaned_data["expires_on"]
        if day is not None and day < timezone.localdate():
            raise forms.ValidationError("This day is already over.")
        return day

    def expires_at(self) -> dt.datetime | None:
        """Return the first instant at which the token no longer works."""
        day: dt.date | None = self.cleaned_data["expires_on"]
        if day is None:
            return None
        return timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time()))


class NewPersonForm(forms.ModelForm[User]):
    """A person an admin adds; without a password until they are invited."""

    class Meta:
        model = User
        fields = ("username", "display_name", "email", "time_zone", "country", "subdivision", "colour", "is_staff")

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002  # Django's own signature
        """Return the user, who has no usable password yet."""
        user = super().save(commit=False)
        user.set_unusable_password()
        if commit:
            user.save()
        return user
