"""A name for a browser, from its User-Agent header."""

import re

# In this order: Edge and Opera also claim to be Chrome, and Chrome claims to be Safari.
BROWSERS = (
    (r"\bEdgA?/|\bEdgiOS/", "Edge"),
    (r"\bOPR/", "Opera"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\bFirefox/|\bFxiOS/", "Firefox"),
    (r"\bChrome/|\bChromium/|\bCriOS/|\bHeadlessChrome/", "Chrome"),
    (r"\bSafari/", "Safari"),
)
SYSTEMS = (
    (r"\biPhone\b", "iPhone"),
    (r"\biPad\b", "iPad"),
    (r"\bAndroid\b", "Android"),
    (r"\bCrOS\b", "ChromeOS"),
    (r"\bMacintosh\b", "Mac"),
    (r"\bWindows\b", "Windows"),
    (r"\bLinux\b", "Linux"),
)
DEFAULT_NAME = "Browser"


def device_name(user_agent: str) -> str:
    """Return a name such as "Chrome on Android"; "Browser" if the header says nothing known."""
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or DEFAULT_NAME


def _first(patterns: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for pattern, name in patterns if re.search(pattern, text)), "")
