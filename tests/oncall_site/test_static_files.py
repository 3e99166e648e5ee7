"""Static files of `make run`: addresses contain a hash, and browsers cache them for good."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import RequestFactory

from oncall_site import static_files

NAME = "oncall_site/site.css"


@pytest.fixture
def serve(settings):
    settings.WHITENOISE_AUTOREFRESH = False
    middleware = static_files.HashedFilesMiddleware(lambda request: HttpResponse("no file", status=404))
    answers = []

    def ask(path):
        answers.append(middleware(RequestFactory().get(path)))
        return answers[-1]

    yield ask
    for answer in answers:
        answer.close()


def test_a_file_has_its_hash_in_its_address_and_never_changes(serve):
    url = static_files.HashedStorage().url(NAME)
    assert re.fullmatch(r"/static/oncall_site/site\.[0-9a-f]{12}\.css", url)
    answer = serve(url)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    plain = serve(f"/static/{NAME}")
    assert b"".join(answer.streaming_content) == b"".join(plain.streaming_content)
    # Files that a stylesheet or a module names without a hash are revalidated.
    assert plain.headers["Cache-Control"] == "max-age=60, public"


@pytest.mark.parametrize("name", ["site.000000000000.css", "none.0123456789ab.css", "../settings.0123456789ab.py"])
def test_an_unpublished_name_is_not_found(serve, name):
    assert serve(f"/static/oncall_site/{name}").status_code == 404


def test_an_unknown_file_has_its_plain_address():
    assert static_files.HashedStorage().url("oncall_site/none.css") == "/static/oncall_site/none.css"


def test_every_custom_property_of_the_stylesheets_is_defined():
    """A browser ignores a rule with an undefined property. Django's stylesheet defines those of the admin."""
    folder = Path(finders.find("oncall_site/site.css")).parent
    text = "".join(path.read_text() for path in folder.glob("*.css") if path.name != "admin.css")
    assert set(re.findall(r"var\((--[\w-]+)", text)) - set(re.findall(r"(--[\w-]+):", text)) == set()
