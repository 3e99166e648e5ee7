"""Templates stay readable."""

from tests.test_language import ROOT, template_files

MAX_LINE_LENGTH = 160


def test_no_line_is_too_long():
    lines = {path: (ROOT / path).read_text().splitlines() for path in template_files()}
    assert [
        f"{path}:{number}"
        for path in lines
        for number, line in enumerate(lines[path], 1)
        if len(line) > MAX_LINE_LENGTH
    ] == []
