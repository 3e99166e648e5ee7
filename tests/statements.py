"""Which of the captured SQL statements change rows."""

import re

# The history's context is set in front of a statement, in the same string.
WRITING = re.compile(r"(?:\A|;)\s*(?:INSERT|UPDATE|DELETE)\b")


def writing(captured):
    """Return the captured statements that change rows."""
    return [row["sql"] for row in captured if WRITING.search(row["sql"])]
