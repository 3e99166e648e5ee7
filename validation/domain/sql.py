"""Rules for the SQL that admins enter."""


def query_problem(query: str) -> str:
    """Return why `query` cannot be sent to a data source, or an empty string if it can.

    A query must be one SELECT. The database connection is also read-only, whatever the query contains.
    """
    text = bare_query(query)
    if not text.lower().startswith(("select", "with")):
        return "Enter one SELECT statement."
    if ";" in text:
        return "Enter a single statement without a semicolon."
    return "Must not contain a NUL character." if "\0" in text else ""


def bare_query(query: str) -> str:
    """Return a query without surrounding space and final semicolons."""
    return query.strip().rstrip(";").strip()
