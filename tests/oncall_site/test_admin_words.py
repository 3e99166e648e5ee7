"""The admin uses the words of the site."""

import html
import re

from django.contrib import admin as django_admin
from django.urls import reverse

# The site says “sign in” and “sign out”, and “person” for a user.
OTHER_WORDS = re.compile(
    r"(?i).{0,20}\b(?:log ?(?:in|out|ged)|username|superuser|staff|web ?site|user:|a user|user options)\b.{0,20}"
)


def words(page):
    """Return the text of a page, with that of attributes that are read out."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page.content.decode(), flags=re.DOTALL)
    spoken = re.findall(r'(?:title|aria-label|placeholder|value)="([^"]*)"', text)
    return html.unescape(" ".join([re.sub(r"<[^>]+>", " ", text), *spoken]))


def test_the_admin_has_the_words_of_the_site(signed_in, admin):
    browser, checked, problems = signed_in(admin), 0, {}
    tables = [model._meta for model in django_admin.site._registry]
    for name in ["index", *(f"{table.app_label}_{table.model_name}_add" for table in tables)]:
        path = reverse(f"admin:{name}")
        page = browser.get(path)
        if page.status_code == 200:
            checked += 1
            problems |= {match[0]: path for match in OTHER_WORDS.finditer(words(page))}
    assert problems == {}
    assert checked > 10


def test_the_admin_signs_out_and_changes_the_password_on_the_site(signed_in, admin):
    admin.set_password("for this test only")
    admin.save()
    page = signed_in(admin).get("/admin/").content.decode()
    assert 'action="/sign-out/"' in page
    assert 'href="/me/security/#password"' in page
    assert signed_in(admin).get("/admin/password_change/").headers["Location"] == "/me/security/"
    assert signed_in(admin).get("/admin/password_change/done/").headers["Location"] == "/me/security/"
