"""A cheaper test client: most tests create a client, and most pages render dozens of components."""

from django.core.signals import setting_changed
from django.test import client
from django.test.client import ClientHandler

_load_middleware = ClientHandler.load_middleware
_store_rendered_template = client.store_rendered_templates
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


def _store_page(store, signal, sender, template, context, **extra):
    """Store the context of a page, not a copy for each template that it includes or extends."""
    if context.template is template:
        _store_rendered_template(store, signal, sender, template, context, **extra)


def install():
    """Let all test clients share the middleware until a setting changes, and store only the context of the page."""
    ClientHandler.load_middleware = _load_shared_middleware
    setting_changed.connect(_forget_middleware)
    client.store_rendered_templates = _store_page
