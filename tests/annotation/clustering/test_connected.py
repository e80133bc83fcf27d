from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from annotation.clustering.connected import connected_groups
from annotation.clustering.vectors import number_clusters


@settings(deadline=None)
@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=15))
def test_groups_are_the_connected_components(n: int, pairs: list[tuple[int, int]]) -> None:
    edges = np.array([pair for pair in pairs if max(pair) < n], np.int32).reshape(-1, 2)
    order, bounds = connected_groups(n, edges[:, 0].copy(), edges[:, 1].copy())
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n, n))
    _, expected = connected_components(graph, directed=False)
    groups = [order[begin:end].tolist() for begin, end in itertools.pairwise(bounds)]
    assert groups == [np.flatnonzero(number_clusters(expected) == c).tolist() for c in range(len(groups))]


def test_no_node_has_no_component() -> None:
    none = np.empty(0, np.int32)
    order, bounds = connected_groups(0, none, none)
    assert (order.tolist(), bounds.tolist()) == ([], [0])


@settings(deadline=None)
@given(st.lists(st.integers(-(2**40), 2**40) | st.integers(0, 5), max_size=20))
def test_clusters_are_numbered_by_their_smallest_member(labels: list[int]) -> None:
    seen = list(dict.fromkeys(labels))
    assert number_clusters(np.array(labels, np.int64)).tolist() == [seen.index(label) for label in labels]
