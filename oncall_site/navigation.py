"""The site's pages and common actions, for the navigation, the keyboard shortcuts and the search."""

# Sections, each with its pages: label, URL name, and the key that opens the page after “g”. The first page is the section's own.
SECTIONS = (
    ("Now", (("Now", "now", "n"),)),
    (
        "Incidents",
        (
            ("Incidents", "incidents", "i"),
            ("Alerts", "alerts", "a"),
            ("Analytics", "incident_reports", "y"),
            ("Drills", "drills", "d"),
        ),
    ),
    (
        "Schedule",
        (
            ("Timeline", "schedule", "s"),
            ("Calendar", "calendar", "c"),
            ("Swaps & covers", "swaps", "w"),
            ("Hand-offs", "handoffs", "h"),
            ("Fairness", "fairness", "f"),
        ),
    ),
    (
        "Pipelines",
        (
            ("Pipelines", "pipelines", "p"),
            ("Checks", "checks", "k"),
            ("Runbooks", "runbooks", "r"),
            ("Lineage", "lineage", "l"),
        ),
    ),
)
# Icons of the sections in the bottom bar on phones.
SECTION_ICONS = {"Now": "activity", "Incidents": "siren", "Schedule": "calendar-days", "Pipelines": "workflow"}
# The pages of the user menu; they have tabs, but no place in the navigation.
ACCOUNT_PAGES = (
    ("My schedule", "account", "m"),
    ("Profile", "profile", ""),
    ("Notifications", "notifications", ""),
    ("Offline copy", "offline_copy", ""),
    ("Calendar feeds", "my_feeds", ""),
    ("API tokens", "tokens", ""),
    ("Security", "security", ""),
)
# Pages outside their section's paths: the URL's beginning, and the URL name of the page it belongs to.
OTHER_PATHS = (
    ("/covers/", "swaps"),
    ("/restatements/", "pipelines"),
    ("/readers/", "pipelines"),
    ("/rotations/", "schedule"),
    ("/action-items/", "handoffs"),
    ("/me/second-factor/", "security"),
    ("/me/calendar-link/", "my_feeds"),
)
# What the search offers besides pages: label and URL name.
ACTIONS = (
    ("Declare incident", "open_incident"),
    ("Add time off", "add_holiday"),
    ("Request swap", "request_swap"),
    ("Request cover", "request_cover"),
    *((label, name) for label, name, _ in ACCOUNT_PAGES),
)
