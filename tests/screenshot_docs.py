"""The pictures in docs/screenshots: the first screen of every page on a computer and on a phone, and the whole pages that docs show."""

import os

from tests.browser import SIZES, chromium
from tests.faults.test_make_run import ROOT
from tests.screenshot_index import index, phone_schemes
from tests.small_png import small_png
from tests.validation.samples import sample

FOLDER = ROOT / "docs" / "screenshots"
SCREENS = {"1280": {"width": 1280, "height": 800}, "375": SIZES["375"]}
# Pictures of whole pages, for the README and docs/.
WHOLE_PAGES = (
    "now-1280-light",
    "now-375-dark",
    "incident-1280-light",
    "incident-375-light",
    "schedule-1280-light",
    "calendar-1280-dark",
    "checks-1280-light",
    "check-1280-dark",
    "runbook-1280-light",
    "messages-375-light",
)
# Submits the page's theme form to another path, with or without its CSRF token.
SUBMIT = """([path, token]) => {
  const form = document.querySelector(".theme-form");
  form.action = path;
  if (!token) form.elements.csrfmiddlewaretoken.value = "";
  form.submit();
}"""


def take_documentation(address, *, sign_in, paths_of, slug):
    """Replace all pictures in docs/screenshots and the README that lists them."""
    with chromium() as browser:
        readers_page = None
        for size, viewport in SCREENS.items():
            page = open_page(browser, address, viewport)
            folder = FOLDER / size
            folder.mkdir(exist_ok=True)
            for old in folder.glob("*.png"):
                old.unlink()
            camera = Camera(browser, page, folder=folder, schemes=phone_schemes() if size == "375" else {})
            camera.take("sign-in", "/sign-in/")
            camera.take("forgotten", "/password/forgotten/")
            sign_in(page)
            readers_page = readers_page or add_rows(page, slug=slug)
            for name, path in (paths_of(page) | {"readers-page": readers_page}).items():
                camera.take(name, path)
            for name, show in errors(page).items():
                show()
                camera.shoot(name)
            page.context.close()
        for name in WHOLE_PAGES:
            what, size, scheme = name.split("-")
            page = open_page(browser, address, SIZES[size])
            sign_in(page)
            Camera(browser, page, folder=FOLDER, schemes={name: scheme}).take(
                name, paths_of(page)[what], full_page=True
            )
            page.context.close()
    (FOLDER / "README.md").write_text(index())


def open_page(browser, address, viewport):
    """Return a page in its own context, without the service worker, which would answer before `page.route`."""
    context = browser.new_context(base_url=address, viewport=viewport, locale="en-GB", service_workers="block")
    return context.new_page()


class Camera:
    """Takes small pictures of a page."""

    def __init__(self, browser, page, *, folder, schemes):
        self.browser, self.page, self.folder, self.schemes = browser, page, folder, schemes

    def take(self, name, path, *, full_page=False):
        """Take a picture of a path."""
        assert self.page.goto(path).status == 200, path
        self.shoot(name, full_page=full_page)

    def shoot(self, name, *, full_page=False):
        """Take a picture of the page as it is now."""
        self.page.emulate_media(color_scheme=self.schemes.get(name, "light"))
        self.page.wait_for_load_state("networkidle")
        picture = small_png(self.browser, self.page.screenshot(full_page=full_page))
        (self.folder / f"{name}.png").write_bytes(picture)


def add_rows(page, *, slug):
    """Create rows that the demo lacks, and return the URL of a readers' page."""
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()

    def post(path, data):
        answer = page.request.post(f"/api/v1/{path}", data=data, headers={"X-CSRFToken": token})
        assert answer.ok, answer.text()
        return answer.json()

    hook = {
        "kind": "webhook",
        "name": "Data platform",
        "address": "https://example.org/hook",
        "events": ["incident.opened"],
    }
    post(f"pipelines/{slug}/channels/", hook)
    post("integrations/dbt/", sample("dbt_run_results"))
    return post("readers-links/", {"name": "Growth numbers", "pipelines": [slug]})["url"]


def errors(page):
    """Return functions that show the error pages of a signed-in user, by name."""

    def submit(path, *, token):
        page.goto("/me/tokens/")
        with page.expect_navigation():
            page.evaluate(SUBMIT, [path, token])

    def rendered(template, **context):
        page.route(
            "**/error-page/", lambda route: route.fulfill(body=render(template, context), content_type="text/html")
        )
        page.goto("/error-page/")
        page.unroute("**/error-page/")

    return {
        "error-403": lambda: page.goto("/admin/login/"),
        "error-403-form": lambda: submit("/me/tokens/", token=False),
        "error-404": lambda: page.goto("/no-such-page/"),
        "error-405": lambda: submit("/search/", token=True),
        # A signed-in user cannot cause these: the site must be overloaded, broken or without its database, or the request malformed.
        "error-400": lambda: rendered("400.html"),
        "error-429": lambda: rendered("429.html", seconds=5),
        "error-500": lambda: rendered("500.html", request_id="3f2a9c5d"),
        "error-503": lambda: rendered("500.html", request_id="3f2a9c5d", is_unavailable=True),
    }


def render(template, context):
    """Render a template that needs neither a request nor the database."""
    import django
    from django.conf import settings
    from django.template.loader import render_to_string

    if not settings.configured:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "oncall_site.settings", "DATABASE_URL": "postgresql:///unused"}
        os.environ |= {"SECRET_KEY": "unused", "ONCALL_VAR": str(ROOT / "var")}
        django.setup()
    return render_to_string(template, context)
