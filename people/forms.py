"""Forms for profiles, sign-in, passwords and API tokens."""

import datetime as dt
from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as CodeReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.utils import timezone

from common.forms import LineField
from people.models import ApiToken, LoginAttempts, User
from people.services.login_attempts import TooManyAttemptsError, count_attempt, refund_attempt


class ProfileForm(forms.ModelForm[User]):
    """Profile of the signed-in user."""

    class Meta:
        model = User
        fields = ("display_name", "email", "phone", "time_zone", "country", "subdivision", "colour", "shortcuts")
        widgets = {
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
            "time_zone": forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
            "country": forms.TextInput(attrs={"list": "countries", "autocomplete": "off"}),
        }
        help_texts = {
            "time_zone": "Such as Europe/Berlin.",
            "country": "Country for public holidays, such as DE.",
            "subdivision": "State or region, if public holidays differ, such as BE for Berlin.",
        }


def count_or_reject(attempt: dict[LoginAttempts.Of, str]) -> None:
    """Count an attempt before the secret is checked; raise ValidationError if there were too many."""
    try:
        count_attempt(attempt, at=timezone.now())
    except TooManyAttemptsError as busy:
        local = timezone.localtime(busy.until)
        raise forms.ValidationError(f"Too many attempts. Try again at {local:%H:%M} {local.tzname()}.") from busy


class PasswordAgainForm(ReauthenticateForm):
    """Password confirmation before a change to sign-in settings."""

    def clean_password(self) -> str:
        """Return the password; raise ValidationError if it is wrong."""
        attempt = {LoginAttempts.Of.CONFIRMATION: self.user.username}
        count_or_reject(attempt)
        password: str = super().clean_password()
        refund_attempt(attempt)
        return password


class CodeField(LineField):
    """Authenticator code or recovery code."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"})
        super().__init__(widget=widget, max_length=40, **options)


class CodeForm(AuthenticateForm):
    """Two-factor authentication at sign-in."""

    code = CodeField(help_text="From your authenticator app, or a recovery code.")

    def clean_code(self) -> str:
        """Return the code; raise ValidationError if it is wrong or was just used."""
        attempt = {LoginAttempts.Of.CODE: str(self.user.pk)}
        count_or_reject(attempt)
        code: str = super().clean_code()
        # An observed code must not work a second time during its 30 seconds.
        count_or_reject({LoginAttempts.Of.USED: f"{self.user.pk} {''.join(code.split())}"})
        refund_attempt(attempt)
        return code


class CodeAgainForm(CodeForm, CodeReauthenticateForm):
    """Two-factor confirmation before a change to sign-in settings."""

    def save(self) -> None:
        """Record the two-factor confirmation in the session."""
        CodeReauthenticateForm.save(self)


class FirstCodeForm(ActivateTOTPForm):
    """First code of an authenticator during enrollment."""

    code = CodeField(label="6-digit code")


class MyPasswordForm(PasswordChangeForm):
    """Password change, without focus because it is at the end of the page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)

    def clean_old_password(self) -> str:
        """Return the current password; raise ValidationError if it is wrong."""
        attempt = {LoginAttempts.Of.CONFIRMATION: self.user.username}
        count_or_reject(attempt)
        password: str = super().clean_old_password()
        refund_attempt(attempt)
        return password


class ChosenPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # generic in its stubs only
    """New password set through a mailed link."""


class ForgottenForm(forms.Form):
    """Request for a password reset."""

    email = forms.EmailField(label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class TokenForm(forms.Form):
    """A new API token."""

    name = LineField(max_length=80, help_text="What the token is for, such as “pager script”.")
    scope = forms.ChoiceField(choices=ApiToken.Scope.choices, initial=ApiToken.Scope.WRITE, label="Scope")
    expires_on = forms.DateField(
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        label="Expires",
        help_text="Last day of validity. Leave blank for no expiry.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.is_staff:
            scopes = [choice for choice in ApiToken.Scope.choices if choice[0] != ApiToken.Scope.ADMIN]
            self.fields["scope"].choices = scopes  # type: ignore[attr-defined]  # a choice field

    def clean_expires_on(self) -> dt.date | None:
        """Return the last valid day; raise ValidationError if it is in the past."""
        day: dt.date | None = self.cleaned_data["expires_on"]
        if day is not None and day < timezone.localdate():
            raise forms.ValidationError("This date is in the past.")
        return day

    def expires_at(self) -> dt.datetime | None:
        """Return when the token expires, or None."""
        day: dt.date | None = self.cleaned_data["expires_on"]
        if day is None:
            return None
        return timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time()))


class NewPersonForm(forms.ModelForm[User]):
    """User creation by an admin, without a password until the user is invited."""

    class Meta:
        model = User
        fields = (
            "username",
            "display_name",
            "email",
            "phone",
            "time_zone",
            "country",
            "subdivision",
            "colour",
            "is_staff",
        )

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002  # Django's own signature
        """Return the user, with an unusable password."""
        user = super().save(commit=False)
        user.set_unusable_password()
        if commit:
            user.save()
        return user
