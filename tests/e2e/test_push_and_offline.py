"""The service worker in Chromium: a push message is shown, the offline copy is there without a connection, and work done then is sent."""

import itertools
import json
import re

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from incidents.models import RunbookRun, RunStep
from incidents.services.runbook_runs import mark_step, start_run
from incidents.services.transitions import NewIncident, open_incident
from notifications.models import Message, PushDevice
from notifications.services.delivery import deliver_one
from notifications.services.push_devices import add_device
from tests.axe import findings
from tests.browser import follow, session_cookie
from tests.factories import make_pipeline, make_runbook
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RUNBOOK = "# Visits\n\n## Troubleshooting Steps\n\n1. Look at the logs.\n2. Start the job again.\n"
COPIED = "caches.match('/me/offline/').then((copy) => copy?.text().then((text) => text.includes(%s)) ?? false)"


@pytest.fixture
def incident(transactional_db, a, b):
    """An open incident of A's pipeline, with its runbook in progress."""
    a.phone = "+44 20 7946 0999"
    a.save()
    pipeline = make_pipeline("Visits", primary=a, secondary=b)
    make_runbook(pipeline, RUNBOOK)
    row = open_incident(pipeline, what=NewIncident(kind="delay", title="Logs are late"), by=None, at=timezone.now())
    start_run(row, by=a, at=timezone.now())
    return row


@pytest.fixture
def page(open_page, a):
    """A's page with the service worker, and a function that waits until the offline copy has a text."""
    return with_copy(open_page(a, service_workers="allow"))


@pytest.fixture
def notified_page(open_page, a):
    """The same page in a browser that shows notifications."""
    return with_copy(open_page(a, service_workers="allow", notifications=True))


def with_copy(page):
    page.wait_for_copy = lambda text: wait_until(
        lambda: page.evaluate(COPIED % json.dumps(text)), why=f"no offline copy with “{text}”"
    )
    return page


ACTIVE = "navigator.serviceWorker.ready.then((registration) => registration.active?.state === 'activated')"


def worker(page):
    """Return a function that delivers a push message to the service worker, as a push service would."""
    session = page.context.new_cdp_session(page)
    registrations = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(row for row in event["registrations"] if not row["isDeleted"]),
    )
    session.send("ServiceWorker.enable")
    # A message to a worker that is not active yet is lost.
    wait_until(lambda: page.evaluate(ACTIVE) and registrations, why="no service worker")
    origin = re.match(r"https?://[^/]+", page.url)[0]

    def deliver(**message):
        session.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": origin, "registrationId": registrations[-1]["registrationId"], "data": json.dumps(message)},
        )

    return deliver


def show(page, deliver, message):
    """Deliver a push message until Chromium shows its title, and return what it shows.

    Under load, Chromium loses a message now and then. A repeated one replaces the first, as they have the same tag.
    """

    looks = itertools.count()

    def shown():
        if next(looks) % 50 == 0:
            # Asking at once could make Chromium drop a notification that it is about to show.
            deliver(**message)
            return None
        rows = page.evaluate(NOTIFICATIONS)
        return rows if message["title"] in [row["title"] for row in rows] else None

    return wait_until(shown, why=f"no notification “{message['title']}”")


NOTIFICATIONS = """navigator.serviceWorker.ready.then((registration) => registration.getNotifications()).then((rows) =>
  rows.map(({ title, body, data, tag, requireInteraction }) => ({ title, body, data, tag, requireInteraction })))"""


def test_a_push_message_is_shown_and_a_newer_one_replaces_it(incident, notified_page):
    page = notified_page
    page.context.grant_permissions(["notifications"])
    page.goto("/me/notifications/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    deliver = worker(page)
    link = f"http://127.0.0.1:8000/incidents/{incident.pk}/"
    message = {"id": 1, "title": "Logs are late", "text": "Acknowledge it.", "link": link, "tag": "t", "urgent": True}
    expected = {
        "title": "Logs are late",
        "body": "Acknowledge it.",
        "data": link,
        "tag": "t",
        "requireInteraction": True,
    }
    assert show(page, deliver, message) == [expected]
    assert show(page, deliver, {**message, "title": "Escalated"}) == [{**expected, "title": "Escalated"}]
    page.wait_for_copy("Logs are late")


# A test cannot make the gesture of clicking a notification: windows are recorded instead of opened and focused.
CLICK = """async ({ data, action }) => {
  const asked = [];
  self.clients.openWindow = async (url) =>
    asked.push(`open ${new URL(url, self.location.href).href.replace(self.location.origin, "")}`);
  WindowClient.prototype.focus = async function () { asked.push(`focus ${new URL(this.url).pathname}`); };
  await self.registration.showNotification("Late", { data, tag: "click" });
  const [notification] = await self.registration.getNotifications({ tag: "click" });
  const event = new NotificationEvent("notificationclick", { notification, action });
  const waiting = [];
  event.waitUntil = (promise) => waiting.push(promise);
  self.dispatchEvent(event);
  await Promise.all(waiting);
  return [...asked, (await self.registration.getNotifications({ tag: "click" })).length];
}"""


def test_a_click_on_a_notification_opens_its_page_of_this_site(incident, notified_page):
    """A click on the notification itself, or on its button."""
    page = notified_page
    page.context.grant_permissions(["notifications"])
    page.goto("/incidents/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    [service_worker] = page.context.service_workers

    def click(link):
        on_both = [service_worker.evaluate(CLICK, {"data": link, "action": action}) for action in ("", "open")]
        assert on_both[0] == on_both[1]
        return on_both[0]

    path = f"/incidents/{incident.pk}/"
    assert click(f"https://oncall.example.org{path}?step=2") == [f"open {path}?step=2", 0]
    assert click("") == ["open /", 0]
    # Only this site's pages are opened, whatever the message says.
    assert click("https://evil.example//evil.example/x") == ["open //evil.example/x", 0]
    page.goto(path)
    assert click(f"https://oncall.example.org{path}") == [f"focus {path}", 0]


SUBSCRIBE = """const json = %s;
PushManager.prototype.subscribe = async (options) => { window.subscribed = options; return { toJSON: () => json }; };"""


def test_push_is_turned_on_tested_and_confirmed(incident, notified_page, a, push_service):
    """All but the way through a public push service: Chromium's subscription and the service are ours, the rest is real."""
    page = notified_page
    browser = push_service.browser()
    page.context.grant_permissions(["notifications"])
    page.add_init_script(SUBSCRIBE % json.dumps({**browser.subscription, "endpoint": "https://fcm.googleapis.com/x"}))
    page.goto("/me/notifications/")
    follow(page.get_by_role("button", name="Turn on push on this device"))
    row = page.get_by_role("group", name="Devices with push").get_by_role("row").last
    expect(row).to_contain_text("Not confirmed")
    device = PushDevice.objects.get()
    assert (device.person, device.service, Message.objects.get(channel="push").type) == (
        a,
        "fcm.googleapis.com",
        "push-test",
    )
    device.endpoint = browser.endpoint
    device.save()
    Message.objects.exclude(channel="push").delete()
    deliver_one()
    [payload] = browser.payloads
    [shown] = show(page, worker(page), payload)
    assert (shown["title"], shown["tag"]) == ("Test message from the on-call site", browser.headers[0]["Topic"])
    page.goto(shown["data"].replace(settings.SITE_URL, ""))
    follow(page.get_by_role("button", name="I received it"))
    expect(page.get_by_text("Confirmed. Push works on Chrome on Linux.")).to_be_visible()
    expect(row).to_contain_text("Confirmed")
    device.refresh_from_db()
    assert device.last_delivered_at is not None
    assert device.confirmed_at is not None


def test_a_reader_whose_browser_blocks_notifications_sees_what_to_do(incident, page):
    page.goto("/me/notifications/")
    page.evaluate("Notification.requestPermission = async () => 'denied'")
    page.get_by_role("button", name="Turn on push on this device").click()
    expect(page.get_by_text("Notifications are blocked for this site.")).to_be_visible()
    assert not PushDevice.objects.exists()


def test_without_a_connection_the_copy_is_shown_and_what_was_done_is_sent_later(incident, page, complaints):
    page.goto("/")
    page.wait_for_copy("Logs are late")
    page.context.set_offline(True)
    page.goto(f"/incidents/{incident.pk}/")
    expect(page.get_by_text("You are offline.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Saved .*\d\d:\d\d UTC"))).to_be_visible()
    expect(page.get_by_role("link", name="Call Engineer A: +44 20 7946 0999")).to_be_visible()
    page.get_by_role("group").filter(has_text="Visits").locator("summary").click()
    expect(page.get_by_text("Start the job again.").last).to_be_visible()
    page.get_by_label("Note on step 1 of Logs are late").fill("The disk is full.")
    page.get_by_role("button", name="Mark as done step 1").click()
    expect(page.get_by_text("1 change saved on this device. Sent when you are online.")).to_be_visible()
    assert not RunStep.objects.exclude(note="").exists()
    page.context.set_offline(False)
    expect(page.get_by_text("1 change to runbook steps sent.")).to_be_visible()
    step = RunStep.objects.get(position=1)
    assert (step.note, step.done_by.username) == ("The disk is full.", "engineer-a")
    complaints.clear()  # Chromium reports each request that failed.


def test_work_that_somebody_else_did_meanwhile_is_refused_with_the_reason(incident, page, b, complaints):
    page.goto("/")
    page.wait_for_copy("Logs are late")
    page.context.set_offline(True)
    page.goto("/")
    page.get_by_role("button", name="Mark as done step 2").click()
    expect(page.get_by_text("1 change saved on this device.")).to_be_visible()
    mark_step(incident, position=2, by=b, at=timezone.now(), done=True)
    page.context.set_offline(False)
    problem = f"Step 2 of incident {incident.pk} was not saved. Engineer B already did step 2."
    expect(page.get_by_text(problem)).to_be_visible()
    assert page.evaluate("localStorage.getItem('unsent-steps')") == "[]"
    complaints.clear()


def test_the_checklist_of_an_open_page_is_saved_too(incident, page, complaints):
    page.goto(f"/incidents/{incident.pk}/")
    page.wait_for_copy("Logs are late")
    page.context.set_offline(True)
    page.get_by_label("Note on step 2").fill("Started again.")
    page.get_by_role("button", name="Mark as done step 1").click()
    expect(page.get_by_text("2 changes saved on this device.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("2 changes to runbook steps sent.")).to_be_visible()
    steps = RunbookRun.objects.get().steps.order_by("position")
    assert [(step.done_at is not None, step.note) for step in steps] == [(True, ""), (False, "Started again.")]
    complaints.clear()


def test_signing_out_empties_the_copy(incident, page):
    page.goto("/")
    page.wait_for_copy("Logs are late")
    page.evaluate("localStorage.setItem('unsent-steps', '[]')")
    page.locator(".site-menu summary").click()
    follow(page.get_by_role("button", name="Sign out"))
    wait_until(lambda: page.evaluate("caches.keys()") == [], why="the copy is still there")
    assert page.evaluate("localStorage.getItem('unsent-steps')") is None
    page.context.set_offline(True)
    page.goto("/")
    expect(page.get_by_text("No copy is saved on this device.")).to_be_visible()


def test_the_next_user_of_a_browser_sees_nothing_of_the_first(incident, page, outsider, live_server, complaints):
    """A's session ended without a sign-out, and no sign-in page was shown in between."""
    page.goto("/")
    page.wait_for_copy("Logs are late")
    page.context.set_offline(True)
    page.goto("/")
    page.get_by_role("button", name="Mark as done step 1").click()
    expect(page.get_by_text("1 change saved on this device.")).to_be_visible()
    # A sign-in also changes the CSRF token, so that A's page cannot send anything as another user.
    page.context.clear_cookies()
    page.context.add_cookies([session_cookie(outsider, live_server.url)])
    page.context.set_offline(False)
    page.goto("/incidents/reports/")
    page.wait_for_copy("You don’t own a pipeline")
    page.context.set_offline(True)
    page.goto("/")
    expect(page.get_by_text("You are offline.")).to_be_visible()
    text = page.locator("body").inner_text()
    assert [word for word in ("Logs are late", "+44 20 7946 0999", "saved on this device") if word in text] == []
    assert not RunStep.objects.exclude(done_at=None).exists()
    complaints.clear()


SUBSCRIBED = """PushManager.prototype.getSubscription = async () => ({
  endpoint: %s, unsubscribe: async () => { localStorage.setItem("unsubscribed", "yes"); return true; } });"""


def test_signing_out_ends_push_in_this_browser_only(incident, page, a, push_service):
    keys = push_service.browser().subscription["keys"]
    here, elsewhere = (
        add_device(a, endpoint=f"https://fcm.googleapis.com/{name}", **keys) for name in ("here", "phone")
    )
    page.add_init_script(SUBSCRIBED % json.dumps(here.endpoint))
    page.goto("/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.locator(".site-menu summary").click()
    follow(page.get_by_role("button", name="Sign out"))
    assert page.evaluate("localStorage.getItem('unsubscribed')") == "yes"
    assert list(PushDevice.objects.all()) == [elsewhere]


def test_push_ends_when_someone_else_has_signed_in(incident, page, a):
    page.add_init_script(SUBSCRIBED % json.dumps("https://fcm.googleapis.com/here"))
    page.goto("/")
    page.evaluate("localStorage.setItem('push-user', 'engineer-a')")
    page.goto("/incidents/")
    assert page.evaluate("localStorage.getItem('unsubscribed')") is None
    page.evaluate("localStorage.setItem('push-user', 'engineer-b')")
    page.goto("/")
    wait_until(lambda: page.evaluate("localStorage.getItem('unsubscribed')") == "yes", why="still subscribed")
    assert page.evaluate("localStorage.getItem('push-user')") is None


def test_the_manifest_and_the_icons_are_there(incident, page):
    page.goto("/")
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    data = json.loads(manifest["data"])
    assert (data["name"], data["display"], data["start_url"]) == ("On call", "standalone", "/")
    for icon in data["icons"]:
        size = page.evaluate(SIZE, icon["src"])
        assert icon["sizes"] == size


SIZE = """async (src) => {
  const image = await createImageBitmap(await (await fetch(src)).blob());
  return `${image.width}x${image.height}`;
}"""


@pytest.fixture
def devices(a, b):
    """Devices of A in every state of health."""
    at = timezone.now()
    states = (
        {"name": "Chrome on Android", "confirmed_at": at, "last_delivered_at": at},
        {"name": "Firefox on Linux"},
        {"name": "Safari on Mac", "problem": "web.push.apple.com returned status 503.", "confirmed_at": at},
        {
            "name": "Edge on Windows",
            "problem": "wns2.notify.windows.com returned status 410.",
            "switched_off_at": at,
        },
    )
    fields = {"endpoint": "x", "service": "fcm.googleapis.com", "p256dh": "x", "auth": "x"}
    return [
        PushDevice.objects.create(person=a, endpoint_digest=f"{number}", **fields, **state)
        for number, state in enumerate(states)
    ]


def test_the_pages_have_no_axe_findings(incident, devices, a, open_page, complaints):
    page = open_page(a)
    paths = ["/me/offline/", "/me/notifications/", *(f"/me/notifications/push/{row.pk}/?code=x" for row in devices[:2])]
    problems = []
    for number, path in enumerate(paths):
        page.goto(path)
        problems += findings(page, number=number)
    assert problems == []
    assert complaints == []
