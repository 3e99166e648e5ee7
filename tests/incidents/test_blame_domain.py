"""Which open incident upstream explains a failure, on random graphs against a brute-force oracle."""

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.blame import OpenIncident, failing_upstream, roots
from lineage.domain.graph import Graph, Link

NOON = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
SIZE = 7

pipelines = st.integers(0, SIZE - 1)
# A link from a smaller to a larger number: no cycle is possible, as in the site.
links = st.lists(st.tuples(pipelines, pipelines).filter(lambda pair: pair[0] < pair[1]), max_size=14).map(
    lambda pairs: [Link(*pair) for pair in pairs]
)
open_incidents = st.lists(
    st.builds(
        OpenIncident,
        key=st.integers(1, 99),
        pipeline=pipelines,
        opened_at=st.integers(-3, 0).map(lambda minutes: NOON + minutes * MINUTE),
        acknowledge_by=st.none() | st.integers(-2, 2).map(lambda minutes: NOON + minutes * MINUTE),
        is_acknowledged=st.booleans(),
        has_recovered=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda incident: incident.key,
)


def paths(links, start):
    """Return every path upstream from a pipeline, by following links one at a time."""
    result = [[start]]
    for path in result:
        result += [[*path, link.upstream] for link in links if link.downstream == path[-1]]
    return result[1:]


def oracle(links, failing, incidents, start, at=NOON):
    """Return the incident of a pipeline by looking at every path from it."""

    def ends(node):
        return {path[-1] for path in paths(links, node) if all(step in failing for step in path[1:])}

    def is_holding(incident):
        in_time = incident.acknowledge_by is not None and incident.acknowledge_by > at
        return not incident.has_recovered and (incident.is_acknowledged or in_time)

    holding = [incident for incident in incidents if is_holding(incident)]
    held = {incident.pipeline for incident in holding}
    candidates = [row for row in holding if row.pipeline in ends(start) and not ends(row.pipeline) & held]
    return min(candidates, key=lambda row: (row.opened_at, row.key), default=None)


@given(links=links, failing=st.sets(pipelines), incidents=open_incidents)
def test_the_root_is_what_every_path_says(links, failing, incidents):
    parents = Graph.from_links(links).parents
    result = roots(range(SIZE), parents=parents, failing=failing, incidents=incidents, at=NOON)
    assert result == {start: oracle(links, failing, incidents, start) for start in range(SIZE)}


@given(links=links, failing=st.sets(pipelines), incidents=open_incidents)
def test_without_an_edge_that_is_cut_the_rest_decides(links, failing, incidents):
    for cut in links:
        rest = [link for link in links if link != cut]
        parents = Graph.from_links(rest).parents
        result = roots([cut.downstream], parents=parents, failing=failing, incidents=incidents, at=NOON)
        assert result == {cut.downstream: oracle(rest, failing, incidents, cut.downstream)}
        if not [link for link in rest if link.downstream == cut.downstream]:
            assert result == {cut.downstream: None}


def paged(key, pipeline, **fields):
    return OpenIncident(key, pipeline, NOON, NOON + 15 * MINUTE, **fields)


def test_a_thousand_failing_children_have_one_root():
    graph = Graph.from_links(Link(0, child) for child in range(1, 1001))
    incident = paged(1, 0)
    result = roots(range(1, 1001), parents=graph.parents, failing=range(1001), incidents=[incident], at=NOON)
    assert result == dict.fromkeys(range(1, 1001), incident)


def test_a_long_chain_has_its_first_pipeline_as_root():
    chain = [Link(*pair) for pair in pairwise(range(200))]
    incidents = [paged(pipeline + 1, pipeline) for pipeline in range(200)]
    result = roots([0, 199], parents=Graph.from_links(chain).parents, failing=range(200), incidents=incidents, at=NOON)
    assert result == {0: None, 199: incidents[0]}


def test_a_pipeline_that_is_well_explains_nothing_further_downstream():
    graph = Graph.from_links([Link(0, 1), Link(1, 2)])
    assert roots([2], parents=graph.parents, failing={0, 2}, incidents=[paged(1, 0)], at=NOON) == {2: None}
    assert failing_upstream([2], parents=graph.parents, failing={0, 1, 2}) == {2: {0, 1}}


def test_an_incident_holds_until_its_time_is_over_or_while_it_is_acknowledged():
    late = NOON + 15 * MINUTE
    assert paged(1, 0).holds(late - MINUTE)
    assert not paged(1, 0).holds(late)
    assert paged(1, 0, is_acknowledged=True).holds(late)
    assert not paged(1, 0, is_acknowledged=True, has_recovered=True).holds(NOON)
    assert not OpenIncident(1, 0, NOON).holds(NOON)
