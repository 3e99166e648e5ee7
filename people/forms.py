"""What a person types about themselves, and how any form meets a refusal."""

import datetime as dt
from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as CodeReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.utils import timezone

from people.models import ApiToken, LoginAttempts, User
from people.services.login_attempts import TooManyAttemptsError, count_attempt, refund_attempt


class ProfileForm(forms.ModelForm[User]):
    """How I am shown and where I am."""

    class Meta:
        model = User
        fields = ("display_name", "email", "phone", "time_zone", "country", "subdivision", "colour", "shortcuts")
        widgets = {
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
            "time_zone": forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
            "country": forms.TextInput(attrs={"list": "countries", "autocomplete": "off"}),
        }
        help_texts = {  # Django's own form
            "time_zone": "A name of the IANA database, such as Europe/Berlin.",
            "country": "Two letters, such as DE: whose public holidays are yours.",
            "subdivision": "Where the country's holidays differ by state, such as BE for Berlin.",
        }


def count_or_reject(named: dict[LoginAttempts.Of, str]) -> None:
    """Count an attempt at a secret before it is looked at; raise ValidationError where there were too many."""
    try:
        count_attempt(named, at=timezone.now())
    except TooManyAttemptsError as busy:
        local = timezone.localtime(busy.until)
        raise forms.ValidationError(f"Too many attempts. Try again at {local:%H:%M} {local.tzname()}.") from busy


class PasswordAgainForm(ReauthenticateForm):
    """My password once more, before something that changes how I sign in."""

    def clean_password(self) -> str:
        """Return the password; raise ValidationError for a wrong one."""
        attempt = {LoginAttempts.Of.NAME: self.user.username}
        count_or_reject(attempt)
        password: str = super().clean_password()
        refund_attempt(attempt)
        return password


class CodeField(forms.CharField):
    """A code of an authenticator, or a recovery code."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"})
        super().__init__(widget=widget, max_length=40, **options)


class CodeForm(AuthenticateForm):
    """The second factor at sign-in."""

    code = CodeField(help_text="Six digits from your authenticator app, or one of your recovery codes.")

    def clean_code(self) -> str:
        """Return the code; raise ValidationError for a wrong one, and for one that was used a moment ago."""
        attempt = {LoginAttempts.Of.CODE: str(self.user.pk)}
        count_or_reject(attempt)
        code: str = super().clean_code()
        # A code that somebody looked at over a shoulder does not work again while its half minute lasts.
        count_or_reject({LoginAttempts.Of.USED: f"{self.user.pk} {''.join(code.split())}"})
        refund_attempt(attempt)
        return code


class CodeAgainForm(CodeForm, CodeReauthenticateForm):
    """The second factor once more, before something that changes how I sign in."""

    def save(self) -> None:
        """Note in the session that the code was given."""
        CodeReauthenticateForm.save(self)


class FirstCodeForm(ActivateTOTPForm):
    """The first code of an authenticator being enrolled."""

    code = CodeField(label="Code that the app shows")


class MyPasswordForm(PasswordChangeForm):
    """A new password; it stands at the end of a page, so that it must not draw the focus."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)

    def clean_old_password(self) -> str:
        """Return the present password; raise ValidationError for a wrong one."""
        attempt = {LoginAttempts.Of.NAME: self.user.username}
        count_or_reject(attempt)
        password: str = super().clean_old_password()
        refund_attempt(attempt)
        return password


class ChosenPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # generic in its stubs only
    """The password that somebody chooses who was mailed a link."""


class ForgottenForm(forms.Form):
    """Whose password is forgotten."""

    email = forms.EmailField(
        label="Your e-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


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
        """Return the user, who has no usable password yet."""
        user = super().save(commit=False)
        user.set_unusable_password()
        if commit:
            user.save()
        return user
