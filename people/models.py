"""Models of users, API tokens, login attempts and password links."""

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from functools import cache
from typing import Any, Self

import holidays
import pghistory
import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Trim
from django.utils.crypto import salted_hmac

from common.db import on_call_version_trigger, page_version_triggers
from common.fields import EncryptedTextField, LineField
from common.identifiers import validate_username
from common.validators import validate_line
from people.domain.names import match_key
from people.domain.person import Person

phone_rule = RegexValidator(
    r"\A\+?[0-9][0-9 ()./-]{3,28}[0-9]\Z",
    "Enter a phone number, such as +49 30 1234567.",
)


@cache
def time_zones() -> frozenset[str]:
    """Return the IANA time zone names. Cached because this reads about a thousand files."""
    return frozenset(zoneinfo.available_timezones())


@cache
def countries() -> Mapping[str, list[str]]:
    """Return the subdivisions of each supported ISO 3166 country. Cached because loading takes milliseconds."""
    return holidays.list_supported_countries()


def valid_time_zone(value: str) -> None:
    """Raise ValidationError unless `value` is a name of the IANA time zone database."""
    if value not in time_zones():
        raise ValidationError(f"Unknown time zone “{value}”. Use a name such as Europe/Berlin.")


def valid_country(value: str) -> None:
    """Raise ValidationError unless public holidays are known for the ISO 3166 country code `value`."""
    if value and value not in countries():
        raise ValidationError(f"Unknown country “{value}”. Use a two-letter code such as DE.")


def valid_subdivision(country: str, subdivision: str) -> None:
    """Raise a ValidationError for `subdivision` unless it belongs to the country."""
    if subdivision and subdivision not in countries().get(country, []):
        raise ValidationError({"subdivision": f"“{subdivision}” is not a region of “{country}”."})


class Color(models.IntegerChoices):
    """Colours of users, legible in light and dark mode."""

    RED = 1
    BLUE = 2
    GREEN = 3
    MAGENTA = 4
    AMBER = 5
    TEAL = 6
    PINK = 7
    LIME = 8
    VIOLET = 9
    ORANGE = 10
    SKY = 11
    JADE = 12


MAX_KEY_LENGTH = 400
# The advisory lock that is held while a name is given to a person.
NAMES_LOCK = "people.names"
NAME_KEYS = ("display_key", "handbook_key")


class NameKeyField(models.CharField[str, str]):
    """The match key of the field `source`, computed whenever the row is saved. It is never edited."""

    def __init__(self, *, source: str, **options: Any) -> None:
        self.source = source
        super().__init__(**{"max_length": MAX_KEY_LENGTH, "editable": False, "blank": True, **options})

    def deconstruct(self) -> Any:
        """Return the field's definition for migrations."""
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "source": self.source}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001  # Django's own signature
        """Return the key, and store it on the instance."""
        key = match_key(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, key)
        return key


class HandbookNameField(LineField):
    """A person's name in the handbook. Left blank, it becomes their display name at the time."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001  # Django's own signature
        """Return the name, and store it on the instance."""
        if not getattr(model_instance, self.attname):
            setattr(model_instance, self.attname, model_instance.display_name)  # type: ignore[attr-defined]
        return super().pre_save(model_instance, add)


class UserQuerySet(models.QuerySet["User"]):
    """Filters for users."""

    def active(self) -> Self:
        """Return the users who may sign in and be on call."""
        return self.filter(is_active=True)

    def admins(self) -> Self:
        """Return the active admins."""
        return self.active().filter(is_staff=True)

    def with_name(self, *keys: str) -> Self:
        """Return the users of whom one of these match keys is the display name, the handbook name or an alias."""
        aliased = HandbookAlias.objects.filter(key__in=keys).values("user")
        return self.filter(Q(display_key__in=keys) | Q(handbook_key__in=keys) | Q(pk__in=aliased))


class UserManager(BaseUserManager["User"]):
    """Manager that supports Django's user commands."""

    def get_queryset(self) -> UserQuerySet:
        """Return the users, with the filters of `UserQuerySet`."""
        return UserQuerySet(self.model, using=self._db)

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Create an admin: `manage.py createsuperuser`."""
        user = User(username=username, is_staff=True, **{"display_name": username, **fields})
        user.set_password(password)
        user.full_clean(exclude=NAME_KEYS)
        user.save()
        return user


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=["last_login", "password"])),
    pghistory.DeleteEvent(),
    exclude=["password", "last_login", *NAME_KEYS],
)
class User(AbstractBaseUser):
    """An engineer, who may also be an admin (`is_staff`); there is no third role."""

    username = LineField("user name", max_length=60, unique=True, validators=[validate_username])
    display_name = LineField("name", max_length=120)
    display_key = NameKeyField(source="display_name")
    handbook_name = HandbookNameField(
        "name in the handbook",
        max_length=120,
        blank=True,
        help_text="By which handbook import recognises the person, whatever their display name. Default: the name.",
    )
    handbook_key = NameKeyField(source="handbook_name")
    email = models.EmailField("e-mail", blank=True, validators=[validate_line])
    phone = LineField(
        "phone",
        max_length=32,
        blank=True,
        db_default="",
        default="",
        validators=[phone_rule],
        help_text="Visible to signed-in users. Include country code, e.g. +49.",
    )
    time_zone = LineField(max_length=64, default="UTC", validators=[valid_time_zone])
    country = LineField(max_length=2, blank=True, validators=[valid_country])
    subdivision = LineField(max_length=8, blank=True)
    colour = models.PositiveSmallIntegerField(choices=Color, default=Color.RED, help_text="Your avatar colour.")
    shortcuts = models.BooleanField(
        "keyboard shortcuts", default=True, db_default=True, help_text="Enable keyboard shortcuts (press ? for a list)."
    )
    is_active = models.BooleanField("active", default=True, help_text="Can sign in and be on call.")
    is_staff = models.BooleanField("admin", default=False, help_text="Can manage pipelines, rotations and people.")
    date_joined = models.DateTimeField(db_default=Now(), editable=False)
    # Sessions, tokens, feeds and password links from before are invalid: a reactivated user starts without any.
    reactivated_at = models.DateTimeField(null=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        ordering = ["display_name", "pk"]
        verbose_name = "person"
        verbose_name_plural = "people"
        triggers = [
            on_call_version_trigger("username", "is_active"),
            *page_version_triggers("display_name", "colour", "phone", "email", "country", "subdivision"),
            pgtrigger.Trigger(
                name="restart_access",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__is_active=False, new__is_active=True),
                func="NEW.reactivated_at = CLOCK_TIMESTAMP(); RETURN NEW;",
            ),
            # No name of a person is a name of another, whichever kind each is. The lock makes simultaneous saves wait.
            pgtrigger.Trigger(
                name="keep_names_apart",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("display_key", "handbook_key"),  # type: ignore[no-untyped-call]
                when=pgtrigger.Before,
                # Its key is NAMES_LOCK.
                func="""
                    PERFORM PG_ADVISORY_XACT_LOCK(HASHTEXT('people.names'));
                    IF EXISTS (
                        SELECT 1 FROM people_user WHERE id <> NEW.id AND (
                            display_key IN (NEW.display_key, NEW.handbook_key)
                            OR handbook_key IN (NEW.display_key, NEW.handbook_key)
                        )
                    ) OR EXISTS (
                        SELECT 1 FROM people_handbookalias
                        WHERE user_id <> NEW.id AND key IN (NEW.display_key, NEW.handbook_key)
                    ) THEN
                        RAISE EXCEPTION USING ERRCODE = 'unique_violation', CONSTRAINT = 'user_names_are_apart',
                            MESSAGE = 'the name belongs to another person';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(display_name=""), name="user_has_a_name"),
            models.CheckConstraint(condition=Q(display_name=Trim("display_name")), name="user_name_is_trimmed"),
            models.CheckConstraint(condition=Q(colour__in=Color.values), name="user_colour_is_known"),
            models.UniqueConstraint(
                models.functions.Lower("email"), condition=~Q(email=""), name="user_email_is_unique"
            ),
            models.UniqueConstraint(fields=["display_key"], name="user_name_is_unique"),
            models.UniqueConstraint(fields=["handbook_key"], name="user_handbook_name_is_unique"),
        ]

    def __str__(self) -> str:
        return self.display_name

    def clean(self) -> None:
        """Raise ValidationError if a name belongs to another person, or the subdivision to another country."""
        super().clean()
        valid_subdivision(self.country, self.subdivision)
        self.handbook_name = self.handbook_name or self.display_name
        check_names(self)

    @property
    def is_superuser(self) -> bool:
        """Return True if the user is an admin; Django grants superusers every permission."""
        return self.is_staff

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The user's time zone."""
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def person(self) -> Person:
        """The user as the domain knows them."""
        return Person(self.pk, self.username, self.display_name, self.colour)

    @property
    def dial(self) -> str:
        """The telephone number for a `tel:` link: digits, with a leading plus if given."""
        return "".join(character for character in self.phone if character in "+0123456789")

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        """Return the hash that ends sessions when the password changes or the user is deactivated and reactivated."""
        value = f"{self.password}{self.reactivated_at.isoformat() if self.reactivated_at else ''}"
        return salted_hmac("people.models.session", value, secret=secret, algorithm="sha256").hexdigest()

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Return True if the user is an active admin, who may use Django's admin for every model."""
        return self.is_active and self.is_staff

    def has_perms(self, perms: Any, obj: object = None) -> bool:
        """Return True if the user is an active admin."""
        return self.has_perm("")

    def has_module_perms(self, app_label: str) -> bool:
        """Return True if the user is an active admin."""
        return self.has_perm("")


def check_names(user: User) -> None:
    """Raise ValidationError by field unless the user's names are readable and belong to nobody else."""
    names = {"display_name": user.display_name, "handbook_name": user.handbook_name}
    if user.handbook_name == user.display_name:
        del names["handbook_name"]
    problems = {field: problem for field, name in names.items() if name and (problem := name_problem(name, user=user))}
    if problems:
        raise ValidationError(problems)


def name_problem(name: str, *, user: User) -> str:
    """Return why the name cannot be the user's, or "" if it can."""
    key = match_key(name)
    if not key:
        return "Enter a name with letters or digits."
    if len(key) > MAX_KEY_LENGTH:
        return "The name is too long."
    other = User.objects.get_queryset().with_name(key).exclude(pk=user.pk).first()
    if other is None:
        return ""
    whose = f"{other.username}’s name" if other.display_key == key else f"{other.username}’s name in the handbook"
    return f"“{name}” is {whose}, apart from case and punctuation. Choose a name that nobody else has."


@pghistory.track(exclude=["key"])
class HandbookAlias(models.Model):
    """Another spelling by which handbook import recognises a person, such as “Priya Oneil” for Priya O'Neil."""

    user = models.ForeignKey(User, verbose_name="person", on_delete=models.CASCADE, related_name="handbook_aliases")
    name = LineField(max_length=120)
    key = NameKeyField(source="name", unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "other spelling in the handbook"
        verbose_name_plural = "other spellings in the handbook"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError for `name` if it belongs to another person."""
        super().clean()
        problem = name_problem(self.name, user=self.user)
        if problem:
            raise ValidationError({"name": problem})


def since_reactivation(user: str) -> Q:
    """Return the filter for rows created after their user, a field of theirs, was last reactivated."""
    reactivated_at = f"{user}__reactivated_at"
    return Q(**{reactivated_at: None}) | Q(created_at__gte=F(reactivated_at))


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Filters for API tokens."""

    def usable(self, *, at: dt.datetime) -> Self:
        """Return tokens valid at `at`: not revoked, not expired and of an active user."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=at)
        return self.not_revoked().filter(unexpired, user__is_active=True)

    def not_revoked(self) -> Self:
        """Return tokens that were not revoked, neither by hand nor by deactivating their user."""
        return self.filter(since_reactivation("user"), revoked_at=None)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pghistory.AnyChange(exclude=["last_used_at"])),
    pghistory.DeleteEvent(),
    exclude=["digest", "last_used_at"],
)
class ApiToken(models.Model):
    """An API token: 256 random bits, stored as a SHA-256 digest."""

    class Scope(models.TextChoices):
        """What a token may do. No scope changes the user's identity: e-mail, password, two-factor authentication, role."""

        READ = "read", "Read only"
        WRITE = "write", "Read and write"
        ADMIN = "admin", "Admin"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = LineField(max_length=80)
    scope = models.CharField(max_length=8, choices=Scope, default=Scope.WRITE)
    prefix = LineField(max_length=16)
    digest = LineField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    # True for the token of an admin without the scope for admins, in memory (`find_token`).
    withholds_admin = False

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "API token"
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")), name="token_expires_after_creation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def refusal_hint(self) -> str:
        """What the token lacks that its user may have: the end of the message of a 403, or "" if the token is not the reason."""
        if self.scope == self.Scope.READ:
            return "This token can only read."
        return "This token does not have the scope “Admin”." if self.withholds_admin else ""


class FactsVersion(models.Model):
    """The version of a set of facts. A process compares it to know whether its caches are current (docs/adr/0029).

    Triggers change it in the transaction that changes a fact. It is the total of all rows, with the highest key: each change adds
    a number that no other change adds, so a version never comes again. There is one row for each recent transaction.
    """

    transaction = models.BigIntegerField(unique=True)
    total = models.BigIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.total}.{self.pk}"


class OnCallVersion(FactsVersion):
    """The version of all facts behind an answer about who is on call or responds."""


class PageVersion(FactsVersion):
    """The version of the other facts in shared parts of pages: how people are shown, requests, gaps, incidents, hand-offs.

    See docs/adr/0046.
    """


class LoginAttempts(models.Model):
    """Number of attempts within a window for a user name, client address or two-factor code.

    The name or address is stored as a keyed digest. The window starts with its first attempt.
    """

    class Kind(models.TextChoices):
        """What the attempts are counted for."""

        GUESS = "guess", "User name from an address or device"
        GUESS_DAY = "guess_day", "User name from an address or device, per day"
        ADDRESS = "address", "Client address"
        ADDRESS_DAY = "address_day", "Client address, per day"
        NETWORK_DAY = "network_day", "Client network, per day"
        CONFIRMATION = "confirm", "Password confirmations of a user"
        CODE = "code", "Two-factor codes of a user"
        MAIL = "mail", "Mail to an address"
        USED = "used", "Used two-factor code"
        FORM = "form", "Forms posted without a session"

    kind = models.CharField(max_length=11, choices=Kind)
    digest = LineField(max_length=64)
    used = models.PositiveSmallIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = "sign-in attempts"
        constraints = [models.UniqueConstraint(fields=["kind", "digest"], name="attempts_are_counted_once")]

    def __str__(self) -> str:
        return f"{self.used} for {self.get_kind_display().lower()} until {self.ends_at}"


class PasswordLinkQuerySet(models.QuerySet["PasswordLink"]):
    """Filters for password links."""

    def usable(self, *, at: dt.datetime) -> Self:
        """Return links valid at `at`: not used, not expired and of an active user."""
        return self.filter(since_reactivation("user"), used_at=None, expires_at__gt=at, user__is_active=True)


@pghistory.track(exclude=["digest", "nonce"])
class PasswordLink(models.Model):
    """A mailed link for setting a password once.

    The secret is derived from the nonce with the site's key when the mail is sent, and stored as a digest, so that the
    database alone does not reveal it.
    """

    class Purpose(models.TextChoices):
        """Reason for the link."""

        INVITATION = "invitation", "Invitation"
        RESET = "reset", "Password reset"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="password_links")
    purpose = models.CharField(max_length=10, choices=Purpose)
    asked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    nonce = LineField(max_length=64)
    digest = LineField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = PasswordLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="password_link_expires_after_creation"
            ),
        ]
        indexes = [models.Index(fields=["user", "-created_at"], name="password_link_of_user")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} for {self.user}"


class SavedResponse(models.Model):
    """The response to a POST with an idempotency key or a form key, so that the same request again gets it without effect."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.CASCADE, related_name="+")
    key = LineField(max_length=255)
    fingerprint = LineField(max_length=64, help_text="SHA-256 digest of the method, the URL and the body.")
    status = models.PositiveSmallIntegerField()
    content_type = LineField(max_length=100, blank=True)
    location = EncryptedTextField(blank=True, help_text="Target of a redirect.")
    # May contain secrets that are shown once, and private notes.
    body = EncryptedTextField(blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "token", "key", "fingerprint"], nulls_distinct=False, name="response_is_saved_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} for {self.key}"
