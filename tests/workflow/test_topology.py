"""The shape of a flow, checked against plain definitions on shapes at random."""

from hypothesis import given, settings, strategies as st

from workflow.topology import Arc, Topology

NAMES = [f"n{index}" for index in range(8)]


def topology(*arcs: str, trigger: str = "a") -> Topology:
    ends = [arc.split(">") for arc in arcs]
    nodes = list(dict.fromkeys(end for pair in ends for end in pair))
    return Topology(trigger, nodes, [Arc(index, *pair) for index, pair in enumerate(ends)])


pairs = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=20)
shapes = pairs.map(lambda ends: Topology("n0", NAMES, [Arc(index, *pair) for index, pair in enumerate(ends)]))


def leads_to(shape: Topology, start: str, end: str) -> bool:
    """By definition: there is a way of at least one edge."""
    seen, pending = set(), [start]
    while pending:
        for arc in shape.arcs:
            if arc.source == pending[-1] and arc.target not in seen:
                seen.add(arc.target)
                pending.append(arc.target)
                break
        else:
            pending.pop()
    return end in seen


def test_nodes_come_after_those_that_lead_to_them() -> None:
    assert topology("a>b", "a>c", "b>d", "c>d").order == ("a", "b", "c", "d")


def test_branches_come_in_the_order_of_the_author() -> None:
    assert topology("a>c", "a>b").order == ("a", "c", "b")


def test_a_loop_is_cut_where_it_leads_back() -> None:
    shape = topology("a>menu", "menu>route", "route>menu", "route>end")
    assert shape.closing_arcs == {2}
    assert shape.order == ("a", "menu", "route", "end")
    assert list(shape.cycles()) == [("menu", "route")]
    assert shape.depth == 4


def test_unreachable_nodes_come_last() -> None:
    shape = topology("a>b", "x>y", "y>b")
    assert shape.reachable == {"a", "b"}
    assert shape.order == ("a", "b", "x", "y")


def test_a_long_chain_needs_no_deep_stack() -> None:
    shape = Topology("n0", [f"n{i}" for i in range(5000)], [Arc(i, f"n{i}", f"n{i + 1}") for i in range(4999)])
    assert shape.depth == 5000
    assert list(shape.cycles()) == []


@settings(max_examples=150)
@given(shapes)
def test_order_respects_every_edge_that_closes_no_cycle(shape: Topology) -> None:
    assert sorted(shape.order) == sorted(NAMES)
    places = {node: place for place, node in enumerate(shape.order)}
    for arc in shape.arcs:
        if arc.index not in shape.closing_arcs and arc.source in shape.reachable:
            assert places[arc.source] < places[arc.target]


@settings(max_examples=150)
@given(shapes)
def test_without_closing_edges_nothing_goes_round(shape: Topology) -> None:
    forward = Topology("n0", NAMES, [arc for arc in shape.arcs if arc.index not in shape.closing_arcs])
    assert list(forward.cycles()) == []
    assert bool(shape.closing_arcs) == bool(list(shape.cycles()))


@settings(max_examples=150)
@given(shapes)
def test_cycles_group_the_nodes_that_reach_one_another(shape: Topology) -> None:
    groups = list(shape.cycles())
    members = [node for group in groups for node in group]
    assert len(members) == len(set(members))
    for node in NAMES:
        assert (node in members) == leads_to(shape, node, node)
    for group in groups:
        for one in group:
            together = {other for other in NAMES if leads_to(shape, one, other) and leads_to(shape, other, one)}
            assert set(group) == together


@settings(max_examples=150)
@given(shapes)
def test_downstream_is_what_a_way_leads_to(shape: Topology) -> None:
    for node in NAMES:
        assert shape.downstream(node) == {other for other in NAMES if leads_to(shape, node, other)}
    assert shape.reachable == {"n0", *shape.downstream("n0")}
