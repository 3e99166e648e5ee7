"""Tables as CSV files."""

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

# A spreadsheet would evaluate a text that starts with one of these, or with their full-width forms (OWASP, CSV Injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_response(filename: str, *, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Return a table as a CSV file to download; texts that a spreadsheet would evaluate start with an apostrophe."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    writer = csv.writer(response)
    writer.writerow(columns)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return response


def safe_cell(value: object) -> object:
    """Return a cell that no spreadsheet evaluates; "" for None."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
