"""Forms that need a pipeline, on a site without one: they say so and link to the next action."""

import pytest

from tests.each import each

PAGES = ["/readers/", "/incidents/open/", "/checks/new/"]


@each("page", PAGES)
def test_without_pipelines_a_form_links_to_the_import(signed_in, admin, a, page):
    texts = {person: signed_in(person).get(page).content.decode() for person in (admin, a)}
    assert [text.count("No pipelines yet") for text in texts.values()] == [1, 1]
    main = {person: text.partition("<main")[2].partition("</main>")[0] for person, text in texts.items()}
    assert 'href="/handbook/"' in main[admin]
    assert ('href="/handbook/"' in main[a], "Ask an admin to import the handbook." in main[a]) == (False, True)
    assert 'name="pipeline' not in main[admin]


@each("page", PAGES)
@pytest.mark.usefixtures("daily_growth")
def test_with_a_pipeline_the_page_has_the_form(signed_in, a, page):
    text = signed_in(a).get(page).content.decode()
    assert ("No pipelines yet" in text, 'name="pipeline' in text) == (False, True)
