"""URLs of sign-in and account pages, including the django-allauth pages in use."""

from allauth.account.decorators import reauthentication_required
from allauth.account.views import reauthenticate
from allauth.mfa.base import views as two_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.socialaccount.views import login_cancelled, login_error
from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from people import views

# The password was confirmed a moment ago: a session that somebody else took over does not show the recovery codes.
CONFIRMATION_REQUIRED = reauthentication_required(app="allauth.mfa")
PAGE_WITH_FORM = require_http_methods(["GET", "HEAD", "POST"])

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/", views.sign_in, name="account_login"),
    path("sign-in/code/", PAGE_WITH_FORM(two_factor.authenticate), name="mfa_authenticate"),
    path("sign-in/again/", PAGE_WITH_FORM(reauthenticate), name="account_reauthenticate"),
    path("sign-in/again/code/", PAGE_WITH_FORM(two_factor.reauthenticate), name="mfa_reauthenticate"),
    path("sign-in/not-active/", views.not_active, name="account_inactive"),
    path("sign-in/failed/", login_not_required(require_safe(login_error)), name="socialaccount_login_error"),
    path("sign-in/cancelled/", require_safe(login_cancelled), name="socialaccount_login_cancelled"),
    path("sign-in/with/<slug:provider_id>/", views.provider_sign_in, name="openid_connect_login"),
    path("sign-in/with/<slug:provider_id>/back/", views.provider_callback, name="openid_connect_callback"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("password/", views.choose_password, name="choose_password"),
    path("password/<str:secret>/", views.password_link, name="password_link"),
    path("me/", views.account, name="account"),
    path("me/unsent-form/discard/", views.discard_form, name="discard_form"),
    path("me/password/", views.change_password, name="change_password"),
    path("me/security/", views.security, name="security"),
    path("me/tokens/", views.tokens, name="tokens"),
    path("me/tokens/<int:pk>/revoke/", views.revoke_token, name="revoke_token"),
    path("me/second-factor/", require_safe(two_factor.index), name="mfa_index"),
    path("me/second-factor/enrol/", PAGE_WITH_FORM(totp.activate_totp), name="mfa_activate_totp"),
    path("me/second-factor/remove/", PAGE_WITH_FORM(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "me/second-factor/codes/",
        require_safe(CONFIRMATION_REQUIRED(recovery_codes.view_recovery_codes)),
        name="mfa_view_recovery_codes",
    ),
    path(
        "me/second-factor/codes/download/",
        require_safe(CONFIRMATION_REQUIRED(recovery_codes.download_recovery_codes)),
        name="mfa_download_recovery_codes",
    ),
    path(
        "me/second-factor/codes/new/",
        PAGE_WITH_FORM(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
]
