"""The template components that every app uses."""

import pytest
from django.template import engines

HEADER = """
<c-page-header title="Incidents" lede="All pipelines"><c-slot name="actions"><a href="/x/">Declare</a></c-slot></c-page-header>
"""
TABLE = """
<c-table label="People" class="stack"><c-slot name="head"><th scope="col">Name</th></c-slot><tr><td>A</td></tr></c-table>
"""
PLAIN_TABLE = '<c-table label="People"><thead><tr><th>Name</th></tr></thead></c-table>'
EMPTY = """
<c-empty-state title="No incidents"><p>All good.</p><c-slot name="actions"><a class="button" href="/x/">Declare</a></c-slot>
</c-empty-state>
"""
BREADCRUMBS = '<c-breadcrumbs here="{{ here }}"><li><a href="/">Now</a></li></c-breadcrumbs>'


def render(source, **context):
    from django_cotton.cotton_loader import Loader

    compiled = Loader(engines["django"].engine).cotton_compiler.process(source)
    return " ".join(engines["django"].from_string(compiled).render(context).split())


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        (HEADER, ["<h1>Incidents</h1>", '<p class="lede">All pipelines</p>', '<div class="actions"><a href="/x/">']),
        (TABLE, ['aria-label="People"', "data-table stack", '<thead> <tr><th scope="col">Name</th></tr> </thead>', "<tbody><tr>"]),
        (EMPTY, ["<h2>No incidents</h2>", "<p>All good.</p>", '<p class="actions"><a class="button"']),
        (BREADCRUMBS, ["<ol>", '<li aria-current="page">A &amp; B</li>']),
    ],
)  # fmt: skip
def test_a_component_shows_its_slots(source, parts):
    page = render(source, here="A & B")
    assert [part for part in parts if part not in page] == []


def test_a_component_leaves_out_empty_slots():
    assert "actions" not in render('<c-page-header title="Incidents" />')
    assert "actions" not in render('<c-empty-state title="None" />')
    assert render(PLAIN_TABLE).count("<thead>") == 1
    assert "<tbody>" not in render(PLAIN_TABLE)
