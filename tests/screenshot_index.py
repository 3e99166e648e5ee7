"""The pages in docs/screenshots by section, with a sentence each, and the README that lists them."""

SECTIONS = {
    "Sign in": {
        "sign-in": "Sign in by user name or e-mail. The browser remembers who signed in last.",
        "forgotten": "Ask for a link to choose a new password.",
    },
    "Now": {
        "now": "What needs attention, who is on call, your next shift, and every pipeline. Updates itself.",
        "search": "Search pipelines, people, rotations, incidents, checks and runbooks.",
    },
    "Incidents": {
        "incidents": "Open and past incidents.",
        "incident": "What is wrong, who is notified next, and the first step of the runbook.",
        "open-incident": "Declare an incident.",
        "edit-incident": "Change an incident’s kind, severity and text.",
        "alerts": "The last state of each Alertmanager alert.",
        "reports": "Incidents, times to acknowledge and times to resolve, by month.",
        "drills": "Practice incidents and their response times.",
    },
    "Schedule": {
        "schedule": "Shifts, covers, time off and gaps of each rotation on a time axis.",
        "week": "One shift: who is on call, and who could take it.",
        "cover": "Cover part of a shift.",
        "request-cover": "Request cover for part of your shift.",
        "plan": "The smallest set of reassignments after which nobody is on call while away.",
        "roster": "The engineers of a rotation, in order.",
        "new-rotation": "Create a rotation.",
        "edit-rotation": "Change a rotation’s time zone, hand-off and weekly drill.",
        "calendar": "Who is on call and who is away, day by day.",
        "block": "Time off with its impact, before it is saved.",
        "holiday": "Change time off.",
        "swaps": "Swap and cover requests: those for you, your own, and the others.",
        "ask": "The best swaps for a shift, with their effects.",
        "swap": "One swap request.",
        "cover-request": "One cover request.",
        "handoffs": "Hand-off meetings and action items.",
        "handoff": "The sheet of a hand-off: notes, signatures and the state of every pipeline.",
        "fairness": "Weeks, weekend days, public holidays and pages at night per engineer.",
    },
    "Pipelines": {
        "pipelines": "Status, readiness, responder and owners of every pipeline.",
        "pipeline": "One pipeline: responder, readiness, incidents, checks and lineage.",
        "maintenance": "Maintenance windows, in which nobody is notified.",
        "channels": "Where a pipeline’s incidents are posted.",
        "channel": "One channel with its deliveries.",
        "rotation-channels": "Where a rotation’s hand-offs and covers are posted.",
        "integration-keys": "Keys for tools that send PagerDuty events.",
        "restatements": "Published numbers that changed.",
        "readers-links": "Links to pages for readers without an account.",
        "readers-page": "What a reader sees: which numbers can be used.",
        "lineage": "Which pipeline reads from which.",
        "owner-drift": "Pipelines whose owner in the code differs from the owner here.",
        "unmapped-nodes": "dbt nodes that belong to no pipeline.",
    },
    "Checks": {
        "checks": "Every check with its last result and trend.",
        "check": "One check: values, expected range, results and settings.",
        "check-types": "Choose a type of check.",
        "new-check": "Create a check.",
        "edit-check": "Change a check.",
        "backtest": "What a check would have reported with other thresholds.",
        "deleted-checks": "Checks that can be restored.",
        "metric": "One metric.",
        "new-metric": "Create a metric.",
        "external-checks": "Results from dbt, Great Expectations, Soda and Airflow.",
        "external-check": "One check from another tool.",
    },
    "Runbooks": {
        "runbooks": "Every runbook.",
        "runbook": "One runbook with its steps, queries and statistics.",
        "edit": "Edit a runbook beside its preview.",
        "revisions": "The revisions of a runbook.",
        "revision": "An earlier revision.",
        "compare": "What changed between two revisions.",
    },
    "Your account": {
        "mine": "Your shifts, time off and requests, and what is left to set up.",
        "profile": "Name, phone, time zone, country and colour.",
        "messages": "Contact methods, rules by urgency, quiet hours and history.",
        "offline": "The offline copy of your pipelines on this device.",
        "feeds": "Calendar feeds.",
        "calendar-link": "Your own calendar as a source of time off.",
        "tokens": "API tokens.",
        "security": "Password and two-factor authentication.",
        "second-factor": "Two-factor authentication.",
        "enrol": "Confirm your password before you change security settings.",
        "person": "What colleagues see of an engineer.",
        "api": "Every API call with an example and a form that sends it.",
    },
    "Administration": {
        "people": "Invite people, and see who has signed in.",
        "handbook": "Import and export the handbook.",
        "admin": "Django’s admin in the site’s colours.",
        "admin-list": "A list in the admin.",
        "ownership-grid": "Both owners of every pipeline.",
        "system": "Health of the database, the workers and the channels.",
    },
    "Errors": {
        "error-400": "A request that the site cannot read.",
        "error-403": "A page that you have no access to.",
        "error-403-form": "A form that has expired.",
        "error-404": "A page that does not exist.",
        "error-405": "A request that the page does not support.",
        "error-429": "Too many requests.",
        "error-500": "An error in the site.",
        "error-503": "The database is not available.",
    },
}
# Widths of the pictures in the README.
WIDTHS = {"1280": 480, "375": 140}
HEAD = """# Every page

Taken by `make screenshots` from the site with demo data: 1,280 pixels wide in light, and 375 pixels wide in dark and light by turns.
"""


def phone_schemes():
    """Return the colour scheme of each page's picture on a phone: light and dark by turns."""
    names = [name for pages in SECTIONS.values() for name in pages]
    return {name: ("dark", "light")[number % 2] for number, name in enumerate(names)}


def index():
    """Return the text of docs/screenshots/README.md."""
    return "\n".join([HEAD, *(_section(title, pages) for title, pages in SECTIONS.items())])


def _section(title, pages):
    head = "| page | computer | phone |\n|---|---|---|\n"
    return f"## {title}\n\n{head}" + "".join(_row(name, shows) for name, shows in pages.items())


def _row(name, shows):
    pictures = [
        f'<img alt="{name} at {size}" src="{size}/{name}.png" width="{width}">' for size, width in WIDTHS.items()
    ]
    return f"| {shows} | {' | '.join(pictures)} |\n"
