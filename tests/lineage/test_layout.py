"""The lineage picture: columns from upstream to downstream, whatever the graph."""

from hypothesis import given
from hypothesis import strategies as st

from lineage.domain.graph import Graph, Link
from lineage.domain.layout import arrange, neighborhood
from lineage.plots import BoxText, lineage_plot

PIPELINES = range(1, 17)


@st.composite
def acyclic(draw):
    pairs = draw(st.lists(st.tuples(st.integers(1, 16), st.integers(1, 16)), max_size=40))
    return {Link(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}


@given(links=acyclic())
def test_every_link_leads_to_the_right_and_every_pipeline_has_one_place(links):
    layout = arrange(PIPELINES, links=links)
    columns = {pipeline: number for number, column in enumerate(layout.columns) for pipeline in column}
    assert sorted(pipeline for pipeline in columns if pipeline > 0) == list(PIPELINES)
    assert set(layout.links) == links
    for link, route in layout.routes.items():
        assert (route[0], route[-1]) == (link.upstream, link.downstream)
        places = [columns[pipeline] for pipeline in route]
        assert places == list(range(places[0], places[0] + len(route)))


@given(links=acyclic())
def test_no_two_boxes_overlap(links):
    texts = {n: BoxText(f"P{n}", f"P{n}", "/", "ok", "ok", "") for n in PIPELINES}
    plot = lineage_plot(arrange(PIPELINES, links=links), texts=texts, focus=3, current=links)
    corners = [(box.x, box.y) for box in plot.boxes]
    assert len(set(corners)) == 16
    assert all(0 <= x <= plot.width - plot.box_width and 0 <= y <= plot.height - plot.box_height for x, y in corners)
    for x, y in corners:
        assert [b for a, b in corners if a == x and abs(b - y) < plot.box_height] == [y]


def test_a_neighborhood_ends_at_the_depth():
    graph = Graph.from_links([Link(1, 2), Link(2, 3), Link(3, 4), Link(1, 5)])
    assert neighborhood(graph, 3, depth=1) == {2, 3, 4}
    assert neighborhood(graph, 3, depth=None) == {1, 2, 3, 4}


def test_links_outside_the_pipelines_are_left_out():
    layout = arrange([2, 3], links=[Link(1, 2), Link(2, 3)])
    assert (layout.columns, layout.routes) == (((2,), (3,)), {Link(2, 3): (2, 3)})
    assert arrange([], links=[]).columns == ()
