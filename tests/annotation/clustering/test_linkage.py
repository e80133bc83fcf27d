from __future__ import annotations

import fastcluster
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster
from scipy.spatial.distance import squareform

from annotation.clustering import Constraints, complete_linkage, range_graph, resolve
from annotation.clustering.vectors import Vectors, number_clusters, pair_distances
from foundation.errors import InvalidInput
from tests.annotation.clustering.linkage_oracle import complete_linkage_oracle
from tests.annotation.clustering.made_up_faces import DIRECTIONS, constrained_vectors, distance_matrix, people

THRESHOLDS = (0.15, 0.3, 0.45, 0.6, 0.9)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_fastcluster_at_every_threshold_and_cut(seed: int) -> None:
    vectors, _ = people(seed, count=120, faces=900)
    tree = fastcluster.linkage(squareform(distance_matrix(vectors).astype(np.float64), checks=False), "complete")
    none = resolve(Constraints.none(len(vectors)))
    widest = complete_linkage(range_graph(vectors, THRESHOLDS[-1]), none)
    for threshold in THRESHOLDS:
        expected = number_clusters(fcluster(tree, float(np.float32(threshold)), "distance"))
        linkage = complete_linkage(range_graph(vectors, threshold), none)
        assert np.array_equal(linkage.labels, expected)
        assert np.array_equal(widest.cut(threshold), expected)
        heights = np.sort(tree[tree[:, 2] <= np.float32(threshold), 2])
        assert np.array_equal(linkage.heights, heights.astype(np.float32))


@settings(max_examples=120, deadline=None)
@given(constrained_vectors(), st.sampled_from([0.0, 0.18350342, 0.3, 0.5, 1.0, 1.5, 2.0]))
@example((DIRECTIONS[:0], Constraints.none(0)), 0.5)
@example((DIRECTIONS[:1], Constraints.none(1)), 0.5)
def test_agrees_with_the_constrained_textbook_algorithm(given_: tuple[Vectors, Constraints], threshold: float) -> None:
    vectors, constraints = given_
    resolution = resolve(constraints)
    labels, heights = complete_linkage_oracle(distance_matrix(vectors), resolution, threshold)
    linkage = complete_linkage(range_graph(vectors, threshold), resolution)
    assert linkage.labels.tolist() == labels
    assert linkage.heights.tolist() == heights


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 40))
def test_agrees_on_generic_vectors_with_random_constraints(seed: int, pairs: int) -> None:
    vectors, truth = people(seed, count=8, faces=45, dimensions=8)
    rng = np.random.default_rng(seed)
    chosen = np.array([rng.choice(45, 2, replace=False) for _ in range(pairs)], np.int64).reshape(-1, 2)
    same = truth[chosen[:, 0]] == truth[chosen[:, 1]]
    constraints = Constraints(
        identity=np.where(rng.random(45) < 0.1, truth, -1),
        photo=rng.integers(-1, 30, 45),
        must=chosen[same],
        cannot=chosen[~same],
    )
    resolution = resolve(constraints)
    for threshold in (0.3, 0.8):
        labels, _ = complete_linkage_oracle(distance_matrix(vectors), resolution, threshold)
        assert complete_linkage(range_graph(vectors, threshold), resolution).labels.tolist() == labels


def test_a_chain_of_near_faces_is_not_one_cluster() -> None:
    angles = np.arange(9) * 0.2
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    labels = complete_linkage(range_graph(vectors, 1 - np.cos(0.21)), resolve(Constraints.none(9))).labels
    distances = distance_matrix(vectors)
    assert max(distances[labels == c][:, labels == c].max() for c in set(labels)) <= 1 - np.cos(0.21)
    assert labels.max() > 2


@pytest.mark.parametrize("n", [2, 3, 100, 3000])
def test_long_chains_of_equal_links_break_into_short_pieces(n: int) -> None:
    # Every link is near enough, as often as not by the last bit, and no face is near enough to the next but one.
    angles = np.arange(n) * (1.5 * np.pi / 3000)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    links = pair_distances(vectors, np.arange(n - 1), np.arange(1, n))
    graph = range_graph(vectors, float(links.max()))
    linkage = complete_linkage(graph, resolve(Constraints.none(n)))
    sizes = np.bincount(linkage.labels)
    assert sizes.max() == 2
    assert np.all(np.diff(linkage.labels) >= 0)  # pieces of the chain
    apart = np.flatnonzero(sizes[:-1] + sizes[1:] == 2)
    assert len(apart) == 0  # two neighbours alone would have merged
    if n <= 100:
        assert (
            linkage.labels.tolist()
            == complete_linkage_oracle(distance_matrix(vectors), resolve(Constraints.none(n)), float(links.max()))[0]
        )


def test_ever_longer_links_make_a_chain_as_long_as_the_faces() -> None:
    # Each face's nearest is the one before: the whole must be walked before the first merge.
    angles = np.cumsum(1.001 ** np.arange(2000)) * 1e-4
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)[::-1]
    linkage = complete_linkage(range_graph(vectors, 0.002), resolve(Constraints.none(2000)))
    firsts = np.flatnonzero(np.diff(linkage.labels, prepend=-1))
    assert len(firsts) == linkage.labels.max() + 1  # pieces of the chain
    lasts = np.append(firsts[1:], 2000) - 1
    assert pair_distances(vectors, firsts, lasts).max() <= np.float32(0.002)
    assert pair_distances(vectors, firsts[:-1], lasts[1:]).min() > np.float32(0.002)  # nothing is left to merge
    assert linkage.heights.max() <= np.float32(0.002)
    assert np.all(np.diff(linkage.heights) >= 0)


@pytest.mark.parametrize("n", [2, 17, 60])
def test_equal_heights_everywhere_go_to_the_smallest_face(n: int) -> None:
    vectors = np.eye(n, dtype=np.float32)
    none, far = resolve(Constraints.none(n)), np.ones((n, n), np.float32) - np.eye(n, dtype=np.float32)
    linkage = complete_linkage(range_graph(vectors, 1.0), none)
    assert linkage.merges.tolist() == [[0, other] for other in range(1, n)]
    assert set(linkage.heights.tolist()) == {1.0}
    assert linkage.cut(0.999).tolist() == list(range(n))
    pairs = np.stack([np.arange(0, n - 1, 2), np.arange(1, n, 2)], axis=1)
    apart = resolve(Constraints(none.identity, none.photo, np.empty((0, 2), np.int64), pairs))
    expected, _ = complete_linkage_oracle(far, apart, 1.0)
    assert complete_linkage(range_graph(vectors, 1.0), apart).labels.tolist() == expected


def test_must_links_do_not_count_for_width_but_all_members_count_towards_others() -> None:
    angles = np.radians([0, 10, 80, 85])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    graph = range_graph(vectors, 1 - np.cos(np.radians(12)))
    must = Constraints.none(4)
    must = Constraints(must.identity, must.photo, np.array([[0, 3]]), must.cannot)
    assert complete_linkage(graph, resolve(Constraints.none(4))).labels.tolist() == [0, 0, 1, 1]
    assert complete_linkage(graph, resolve(must)).labels.tolist() == [0, 1, 2, 0]


def test_a_linkage_cannot_be_cut_above_its_end() -> None:
    linkage = complete_linkage(range_graph(DIRECTIONS, 0.5), resolve(Constraints.none(len(DIRECTIONS))))
    with pytest.raises(InvalidInput, match="ends at"):
        linkage.cut(0.6)


def test_constraints_of_another_size_are_refused() -> None:
    with pytest.raises(InvalidInput, match="do not fit"):
        complete_linkage(range_graph(DIRECTIONS, 0.5), resolve(Constraints.none(3)))
