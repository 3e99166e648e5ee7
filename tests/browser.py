"""Chromium for the browser tests and the screenshots."""

import contextlib
import os
from pathlib import Path

from django.conf import settings
from django.test import Client
from playwright.sync_api import sync_playwright

EXECUTABLE = "/usr/bin/chromium"
# The same engine without a browser's windows takes two thirds of the processor time. It shows no notifications.
HEADLESS_SHELL = "/usr/bin/chromium-headless-shell"
# The first three draw the list below the address bar, which takes 0.6 s of processor time per browser context. The others are those of
# Playwright's list that matter here, because Chromium reads only the last such flag.
DISABLED_FEATURES = [
    "WebUIOmniboxPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxAimPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "Translate",
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(DISABLED_FEATURES)}",
]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 812}
SIZES = {"1280": DESKTOP, "375": PHONE}
# The suite checks less. `make faults` sets this variable, with which tests check everything at both sizes and in both colour schemes.
EVERY_VIEW = os.environ.get("EVERY_VIEW", "") == "1"
# For tests of what is alike at both sizes: the tighter one.
SOME_SIZES = SIZES if EVERY_VIEW else {"375": PHONE}


@contextlib.contextmanager
def chromium(*flags):
    """Yield a running Chromium."""
    with sync_playwright() as playwright, launched(playwright, EXECUTABLE, *flags) as browser:
        yield browser


@contextlib.contextmanager
def launched(playwright, executable, *flags):
    """Yield a running browser, which is closed afterwards."""
    browser = playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *flags])
    try:
        yield browser
    finally:
        browser.close()


def quickest_executable():
    """Return the headless shell where it is installed, else Chromium."""
    return HEADLESS_SHELL if Path(HEADLESS_SHELL).exists() else EXECUTABLE


def follow(locator):
    """Click a link or a button that opens a page, and wait until that page has loaded: a click itself waits for nothing."""
    with locator.page.expect_navigation():
        locator.click()


def session_cookie(user, url):
    """Return the cookie of a session in which the user is signed in."""
    client = Client()
    client.force_login(user)
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": url,
    }
