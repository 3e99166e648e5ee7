"""The HTML part of mails: Markdown is rendered, nothing else gets through, and no text takes long."""

from notifications.channels.email.html import MAX_MARKDOWN_LENGTH, mail_html
from tests.each import each
from tests.runbooks.payloads import BOMBS, SCRIPTS
from tests.thorough import THOROUGH


def test_paragraphs_lists_and_links_are_rendered():
    text = "Two checks **fail**:\n\n- a < b\n- c\n\nRunbook: https://site.example/runbooks/a/?x=1&y=2."

    assert mail_html(text) == (
        "<p>Two checks <strong>fail</strong>:</p>\n<ul>\n<li>a &lt; b</li>\n<li>c</li>\n</ul>\n"
        '<p>Runbook: <a href="https://site.example/runbooks/a/?x=1&amp;y=2" rel="noopener noreferrer">'
        "https://site.example/runbooks/a/?x=1&amp;y=2</a>.</p>"
    )


def test_lines_stay_apart():
    assert mail_html("one\ntwo") == "<p>one<br>\ntwo</p>"


@each("payload", SCRIPTS)
def test_no_script_gets_through(payload):
    html = mail_html(payload).lower()

    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html


@each("bomb", BOMBS if THOROUGH else BOMBS[::2])
def test_a_hostile_text_is_rendered(bomb):
    # The longest text that is read as Markdown. A text that took minutes would end the test.
    mail_html(bomb[:MAX_MARKDOWN_LENGTH])
