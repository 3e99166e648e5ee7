"""Forms for profiles, sign-in, passwords and API tokens."""

import datetime as dt
from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as CodeReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm, UserChangeForm
from django.utils import timezone
from django.utils.html import format_html

from common.db import advisory_lock
from common.forms import DayField, LineField
from people.models import NAMES_LOCK, ApiToken, LoginAttempts, User
from people.queries import country_names, sign_in_name
from people.services.accounts import free_color
from people.services.login_attempts import TooManyAttemptsError, count_attempt, refund_attempt

MAX_EMAIL_LENGTH = 254


class ProfileForm(forms.ModelForm[User]):
    """Profile of the signed-in user."""

    class Meta:
        model = User
        fields = ("display_name", "email", "phone", "time_zone", "country", "subdivision", "colour", "shortcuts")
        widgets = {
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
            "time_zone": forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
            "country": forms.Select,
            "subdivision": forms.TextInput(attrs={"list": "regions", "autocomplete": "off"}),
            "colour": forms.RadioSelect,
        }
        help_texts = {
            "time_zone": "Such as Europe/Berlin.",
            "country": "For public holidays.",
            "subdivision": "Code of the state or region, if its public holidays differ, such as BE for Berlin.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A bound form changes its instance: the name in the handbook is the stored one.
        text = "As shown on the site. In the handbook you stay “{}”."
        self.fields["display_name"].help_text = format_html(text, self.instance.handbook_name)
        self.fields["country"].widget.choices = [("", "None"), *country_names()]


class SignInForm(AuthenticationForm):
    """Sign-in with user name or e-mail address, and password. The focus is on the password once a name is typed."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Wrong user name, e-mail or password. Passwords are case-sensitive.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username, password = self.fields["username"], self.fields["password"]
        username.label = "User name or e-mail"
        username.widget.attrs["maxlength"] = username.max_length = MAX_EMAIL_LENGTH  # type: ignore[attr-defined]  # a text field
        if self.is_bound or self.initial.get("username"):
            username.widget.attrs.pop("autofocus", None)
            password.widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        """Return the data; raise ValidationError unless the password belongs to the user."""
        self.cleaned_data["username"] = sign_in_name(self.cleaned_data.get("username", ""))
        return super().clean()


def count_or_reject(attempt: dict[LoginAttempts.Kind, str]) -> None:
    """Count an attempt before the secret is checked; raise ValidationError if there were too many."""
    try:
        count_attempt(attempt, at=timezone.now())
    except TooManyAttemptsError as busy:
        local = timezone.localtime(busy.until)
        raise forms.ValidationError(f"Too many attempts. Try again at {local:%H:%M} {local.tzname()}.") from busy


class PasswordConfirmationForm(ReauthenticateForm):
    """Password confirmation before a change to sign-in settings."""

    def clean_password(self) -> str:
        """Return the password; raise ValidationError if it is wrong."""
        attempt = {LoginAttempts.Kind.CONFIRMATION: self.user.username}
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
        attempt = {LoginAttempts.Kind.CODE: str(self.user.pk)}
        count_or_reject(attempt)
        code: str = super().clean_code()
        # An observed code must not work a second time during its 30 seconds.
        count_or_reject({LoginAttempts.Kind.USED: f"{self.user.pk} {''.join(code.split())}"})
        refund_attempt(attempt)
        return code


class CodeConfirmationForm(CodeForm, CodeReauthenticateForm):
    """Two-factor confirmation before a change to sign-in settings."""

    def save(self) -> None:
        """Record the two-factor confirmation in the session."""
        CodeReauthenticateForm.save(self)


class FirstCodeForm(ActivateTOTPForm):
    """First code of an authenticator during enrollment."""

    code = CodeField(label="6-digit code")


class AccountPasswordForm(PasswordChangeForm):
    """Password change, without focus because the page has more than this form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)

    def clean_old_password(self) -> str:
        """Return the current password; raise ValidationError if it is wrong."""
        attempt = {LoginAttempts.Kind.CONFIRMATION: self.user.username}
        count_or_reject(attempt)
        password: str = super().clean_old_password()
        refund_attempt(attempt)
        return password


class ChosenPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # generic in its stubs only
    """New password set through a mailed link."""


class PasswordResetForm(forms.Form):
    """Request for a password reset."""

    email = forms.EmailField(
        label="E-mail", max_length=MAX_EMAIL_LENGTH, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class TokenForm(forms.Form):
    """A new API token."""

    name = LineField(max_length=80, help_text="What the token is for, such as “pager script”.")
    scope = forms.ChoiceField(choices=ApiToken.Scope.choices, initial=ApiToken.Scope.WRITE, label="Scope")
    expires_on = DayField(
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        label="Expires",
        help_text="Last day of validity. Leave empty for no expiry.",
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


class PersonForm(UserChangeForm[User]):
    """A person in Django's admin."""

    def clean(self) -> None:
        """Wait until nobody else is giving a name to a person: Django's admin saves in the same transaction."""
        super().clean()
        advisory_lock(NAMES_LOCK)


class NewPersonForm(forms.ModelForm[User]):
    """User creation by an admin, without a password until the user is invited."""

    class Meta:
        model = User
        fields = (
            "username",
            "display_name",
            "handbook_name",
            "email",
            "phone",
            "time_zone",
            "country",
            "subdivision",
            "colour",
            "is_staff",
        )

    def clean(self) -> None:
        """Wait until nobody else is giving a name to a person: Django's admin saves in the same transaction."""
        super().clean()
        advisory_lock(NAMES_LOCK)

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002  # Django's own signature
        """Return the user, with an unusable password and by default the rarest colour."""
        user = super().save(commit=False)
        user.set_unusable_password()
        if "colour" not in self.changed_data:
            user.colour = free_color(user.display_name)
        if commit:
            user.save()
        return user
