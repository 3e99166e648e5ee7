"""A cheaper test client: most tests create a client, and most pages render dozens of components."""

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.signals import setting_changed
from django.test import client, utils
from django.test.client import ClientHandler
from django.utils.crypto import get_random_string

from people.sessions import SessionStore

_load_middleware = ClientHandler.load_middleware
_render_and_signal = utils.instrumented_test_render
_force_login = client.Client.force_login
# The attributes of a handler with its middleware. The chain ends in the first handler's view, which does not depend on its client.
_chain: dict[str, object] = {}


def _load_shared_middleware(handler, is_async=False):
    """Give each client the middleware that the first client loaded. Loading takes as long as a small request."""
    if not _chain:
        _load_middleware(handler, is_async)
        _chain.update((name, value) for name, value in vars(handler).items() if name.endswith("_middleware"))
        _chain["_middleware_chain"] = handler._middleware_chain
    vars(handler).update(_chain)


def _forget_middleware(**_):
    _chain.clear()


def _render(template, context):
    """Send the signal with which a client stores the context of a page, but not for each template that it includes or extends."""
    if context.template is template:
        return _render_and_signal(template, context)
    return template.nodelist.render(context)


def _force_first_login(self, user, backend=None):
    """Sign in with one statement. Django's `login` needs fourteen, for an earlier session and the time of the last login."""
    if backend or self.cookies:
        _force_login(self, user, backend)
        return
    user.backend = self._get_backend()
    session = SessionStore(get_random_string(32))
    session._session_cache = {
        SESSION_KEY: user._meta.pk.value_to_string(user),
        BACKEND_SESSION_KEY: user.backend,
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    session.create_model_instance(session._session_cache).save(force_insert=True)
    request = client.HttpRequest()
    request.session = session
    self._set_login_cookies(request)


def install():
    """Let all test clients share the middleware until a setting changes, store only the context of the page, and sign in cheaply."""
    client.Client.force_login = _force_first_login
    ClientHandler.load_middleware = _load_shared_middleware
    setting_changed.connect(_forget_middleware)
    utils.instrumented_test_render = _render
