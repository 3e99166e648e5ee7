"""Templates stay readable."""

import pytest

from tests.test_language import ROOT, template_files

MAX_LINE_LENGTH = 160


@pytest.mark.parametrize("path", template_files())
def test_no_line_is_too_long(path):
    lines = (ROOT / path).read_text().splitlines()

    assert [number for number, line in enumerate(lines, 1) if len(line) > MAX_LINE_LENGTH] == []
