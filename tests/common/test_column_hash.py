"""The hash of a column in a query."""

from django.db.models.expressions import Col

from people.models import ApiToken, User

NAME, EMAIL, SCOPE = (
    User._meta.get_field("display_name"),
    User._meta.get_field("email"),
    ApiToken._meta.get_field("scope"),
)


def test_equal_columns_have_equal_hashes_and_are_found_in_a_dictionary():
    columns = [Col("u", NAME), Col("u", EMAIL), Col("t", NAME), Col("t", SCOPE), Col("u", NAME, EMAIL)]
    again = [Col("u", NAME), Col("u", EMAIL), Col("t", NAME), Col("t", SCOPE), Col("u", NAME, EMAIL)]
    assert [hash(column) for column in columns] == [hash(column) for column in again]
    assert [{column: n for n, column in enumerate(columns)}[column] for column in again] == [0, 1, 2, 3, 4]


def test_a_hash_needs_no_comparison_of_constructors():
    column = Col("u", NAME)
    assert (hash(column), "identity" in vars(column)) == (hash(("u", "display_name")), False)
