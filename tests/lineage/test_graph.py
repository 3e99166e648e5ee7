"""Graphs of pipelines against a brute-force oracle."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lineage.domain.graph import Graph, Link

LINKS = st.lists(st.builds(Link, st.integers(0, 7), st.integers(0, 7)), max_size=20)


def reachable(links, start, *, steps):
    """Return the nodes reachable within a number of steps, by repeating one step."""
    nodes = {start}
    for _ in range(steps):
        nodes |= {link.downstream for link in links if link.upstream in nodes}
    return nodes - {start}


@given(links=LINKS, start=st.integers(0, 7), depth=st.integers(0, 4))
def test_descendants_are_what_repeated_steps_reach(links, start, depth):
    graph = Graph.from_links(links)
    assert set(graph.descendants(start, depth=depth)) == reachable(links, start, steps=depth)
    assert set(graph.descendants(start)) == reachable(links, start, steps=8)
    for node, distance in graph.descendants(start).items():
        assert node in reachable(links, start, steps=distance)
        assert node not in reachable(links, start, steps=distance - 1)


@given(links=LINKS, start=st.integers(0, 7))
def test_ancestors_mirror_descendants(links, start):
    mirrored = [Link(link.downstream, link.upstream) for link in links]
    assert Graph.from_links(links).ancestors(start) == Graph.from_links(mirrored).descendants(start)


@given(links=LINKS)
def test_adding_only_links_without_a_cycle_keeps_the_graph_acyclic(links):
    graph, accepted = Graph(), []
    for link in links:
        cycle = graph.cycle(link)
        if cycle:
            assert (cycle[0], cycle[1], cycle[-1]) == (link.upstream, link.downstream, link.upstream)
            assert all(Link(*pair) in accepted for pair in list(pairwise(cycle))[1:])
        else:
            graph.add(link)
            accepted.append(link)
    for node in range(8):
        assert all(node not in reachable(accepted, child, steps=8) for child in graph.children.get(node, ()))


def test_a_pipeline_without_edges_has_no_relatives():
    assert Graph().ancestors(1) == {}
    assert Graph().descendants(1) == {}
    assert Graph().cycle(Link(1, 1)) == (1, 1)
