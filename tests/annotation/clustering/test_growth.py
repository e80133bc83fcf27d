from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotation.clustering import (
    Constraints,
    Linkage,
    Resolution,
    Thresholds,
    cluster,
    complete_linkage,
    range_graph,
    resolve,
)
from annotation.clustering.copies import copies, merge_copies
from annotation.clustering.group_graph import Budget
from annotation.clustering.growth import grow, linkage_within
from annotation.clustering.vectors import Vectors
from foundation.errors import Cancelled, InvalidInput
from tests.annotation.clustering.linkage_oracle import complete_linkage_oracle
from tests.annotation.clustering.made_up_faces import (
    DIRECTIONS,
    constrained_vectors,
    distance_matrix,
    normalised,
    people,
)

MIB = 1 << 20


def assert_same(staged: Linkage, whole: Linkage) -> None:
    assert staged.max_distance == whole.max_distance
    assert staged.component.tolist() == whole.component.tolist()
    assert staged.merges.tolist() == whole.merges.tolist()
    assert staged.heights.tolist() == whole.heights.tolist()
    assert staged.heights.dtype == np.float32


def decisions(seed: int, truth: np.ndarray, pairs: int) -> Resolution:
    """Random facts that agree with the truth, but for photos, which forbid some genuine pairs."""
    rng, n = np.random.default_rng(seed), len(truth)
    chosen = np.array([rng.choice(n, 2, replace=False) for _ in range(pairs)], np.int64).reshape(-1, 2)
    same = truth[chosen[:, 0]] == truth[chosen[:, 1]]
    identity = np.where(rng.random(n) < 0.1, truth, -1)
    photo = rng.integers(-1, max(1, n // 2), n)
    return resolve(Constraints(identity=identity, photo=photo, must=chosen[same], cannot=chosen[~same]))


@settings(max_examples=150, deadline=None)
@given(
    constrained_vectors(),
    st.sampled_from([0.0, 0.18350342, 0.3, 0.5, 1.0, 1.5, 2.0]),
    st.integers(1, 40),
    st.integers(1, 5),
)
@example((DIRECTIONS[:0], Constraints.none(0)), 0.5, 1, 1)
@example((DIRECTIONS[:1], Constraints.none(1)), 0.5, 1, 1)
@example((DIRECTIONS[[0] * 9], Constraints.none(9)), 0.5, 1, 2)
def test_ties_and_constraints_in_stages(
    given_: tuple[Vectors, Constraints], threshold: float, edges: int, tile: int
) -> None:
    vectors, constraints = given_
    resolution = resolve(constraints)
    staged, _ = grow(vectors, resolution, threshold, Budget(edges, tile))
    assert_same(staged, complete_linkage(range_graph(vectors, threshold), resolution))
    labels, heights = complete_linkage_oracle(distance_matrix(vectors), resolution, threshold)
    assert staged.labels.tolist() == labels
    assert staged.heights.tolist() == heights


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 40), st.integers(1, 60), st.sampled_from([0.3, 0.8, 2.0]))
def test_generic_vectors_with_copies_never_fail(seed: int, pairs: int, edges: int, t: float) -> None:
    vectors, truth = people(seed, count=8, faces=45, dimensions=8)
    chosen = np.random.default_rng(seed).permutation(np.repeat(np.arange(45), 1 + np.arange(45) % 3))
    vectors, truth = vectors[chosen], truth[chosen]
    resolution = resolve(Constraints.none(len(vectors))) if pairs == 0 else decisions(seed, truth, pairs)
    whole = complete_linkage(range_graph(vectors, t), resolution)
    assert_same(grow(vectors, resolution, t, Budget(edges, tile=16))[0], whole)


@pytest.mark.parametrize("seed", range(3))
def test_many_stages_equal_one(seed: int) -> None:
    vectors, truth = people(seed, count=40, faces=500)
    for resolution in (resolve(Constraints.none(500)), decisions(seed, truth, 60)):
        graph = range_graph(vectors, 0.9)
        whole = complete_linkage(graph, resolution)
        for share in (10, 100):
            staged, edges = grow(vectors, resolution, 0.9, Budget(len(graph) // share, tile=64))
            assert_same(staged, whole)
            assert 0 < edges < len(graph) * 3
        assert staged.cut(0.4).tolist() == whole.cut(0.4).tolist()


def test_copies_merge_only_where_nothing_comes_before() -> None:
    far = normalised(np.array([[1.0, 0.0], [0.0, 1.0]]))
    short = far * np.float32(1 - 1e-4)  # its distance to its own copy is 2e-4
    beside = normalised(np.array([[1.0, 1e-2]]))  # nearer to the first than its copy
    none, budget = resolve(Constraints.none(7)), Budget(8, 4)
    rows = np.concatenate([short[[0, 1, 0, 1, 0, 1]], beside])
    found = merge_copies(rows, copies(rows), none, 0.5, budget)
    assert found.merges.tolist() == [[1, 3], [1, 5]]
    assert found.heights.tolist() == [np.float32(1 - np.float64(short[1, 1]) ** 2)] * 2
    assert len(merge_copies(rows, copies(rows), none, 1e-5, budget).merges) == 0
    assert_same(grow(rows, none, 0.5, budget)[0], complete_linkage(range_graph(rows, 0.5), none))


def test_copies_obey_constraints() -> None:
    rows = np.repeat(DIRECTIONS[:2], 30, axis=0)
    photo = np.repeat(np.arange(30), 2)  # neighbours share a photo
    identity = np.full(60, -1)
    identity[[4, 12, 40]] = 0, 1, 0
    resolution = resolve(
        Constraints(identity=identity, photo=photo, must=np.array([[3, 9]]), cannot=np.array([[0, 8], [2, 8]]))
    )
    whole = complete_linkage(range_graph(rows, 0.5), resolution)
    assert_same(grow(rows, resolution, 0.5, Budget(900, 16))[0], whole)


def test_copies_are_found_whatever_the_sign_of_zero() -> None:
    rows = np.array([[1, 0], [0, 1], [1, -0.0], [0, 1], [-1, 0]], np.float32)
    assert copies(rows).tolist() == [0, 1, 0, 1, 2]


def test_a_graph_ten_times_too_dense_keeps_to_its_memory() -> None:
    rng = np.random.default_rng(5)
    centres = normalised(rng.normal(size=(3, 32)))
    of_centre = rng.integers(0, 3, 4000)
    spread = normalised(centres[of_centre] + 0.05 * rng.normal(size=(4000, 32)))
    rows = np.where((rng.random(4000) < 0.5)[:, None], centres[of_centre], spread)
    memory, t = 6 * MIB, 0.6
    resolution = resolve(Constraints.none(4000))
    graph = range_graph(rows, t)
    assert 24 * len(graph) > 10 * memory  # `range_graph` holds each edge twice
    whole = complete_linkage(graph, resolution)
    with pytest.raises(InvalidInput) as caught:
        range_graph(rows, t, memory_bytes=memory)
    assert caught.value.code == "graph_too_dense"
    grow(rows[:600], resolve(Constraints.none(600)), t, Budget(2000, 64))  # compiles, which takes memory of its own
    tracemalloc.start()
    staged, edges = linkage_within(rows, resolution, t, memory_bytes=memory)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_same(staged, whole)
    assert edges < len(graph)
    assert peak <= memory


def test_what_fits_is_done_in_one_stage() -> None:
    vectors, _ = people(1, count=20, faces=200)
    resolution = resolve(Constraints.none(200))
    graph = range_graph(vectors, 0.5)
    linkage, edges = linkage_within(vectors, resolution, 0.5)
    assert_same(linkage, complete_linkage(graph, resolution))
    assert edges == len(graph)


def test_the_whole_clustering_takes_stages_where_it_must() -> None:
    vectors, _ = people(2, count=4, faces=900, noise=0.3)
    thresholds = Thresholds(core_distance=0.4, merge_similarity=0.5)
    whole = cluster(vectors, thresholds=thresholds)
    staged = cluster(vectors, thresholds=thresholds, memory_bytes=3 * MIB // 2)
    assert staged.edges < whole.edges
    assert_same(staged.linkage, whole.linkage)
    assert staged.labels.tolist() == whole.labels.tolist()


def test_constraints_of_another_size_are_refused() -> None:
    with pytest.raises(InvalidInput, match="do not fit"):
        grow(DIRECTIONS, resolve(Constraints.none(3)), 0.5, Budget(100, 8))


def test_more_ties_than_fit_merge_row_by_row() -> None:
    rows = np.eye(40, dtype=np.float32)
    for resolution in (resolve(Constraints.none(40)), decisions(1, np.arange(40) % 5, 30)):
        whole = complete_linkage(range_graph(rows, 1.0), resolution)
        assert_same(grow(rows, resolution, 1.0, Budget(30, 8))[0], whole)


@pytest.mark.parametrize("variants", [2, 300])
def test_near_copies_that_come_between_copies(variants: int) -> None:
    rng = np.random.default_rng(variants)
    near = normalised(normalised(rng.normal(size=(1, 64))) + 1e-7 * rng.normal(size=(variants, 64)))
    rows = near[rng.integers(0, variants, 400)]
    resolution = decisions(0, np.arange(400) % 3, 20)
    for facts in (resolution, resolve(Constraints.none(400))):
        whole = complete_linkage(range_graph(rows, 0.5), facts)
        assert_same(grow(rows, facts, 0.5, Budget(2000, 64))[0], whole)


def test_memory_for_less_than_the_faces_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too few") as caught:
        Budget.within(1000, 40, 40)
    assert caught.value.code == "memory_too_small"


def test_progress_only_rises_and_cancelling_stops_any_stage() -> None:
    vectors, _ = people(3, count=10, faces=300)
    resolution = resolve(Constraints.none(300))
    seen: list[tuple[int, int]] = []
    grow(vectors, resolution, 1.0, Budget(1000, 64), lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[0][0] < seen[-1][0] <= seen[-1][1]
    for when in (0, seen[-1][0] // 2, seen[-1][0]):

        def stop(done: int, total: int, when: int = when) -> None:
            if done >= when:
                raise Cancelled("stop")

        with pytest.raises(Cancelled):
            grow(vectors, resolution, 1.0, Budget(1000, 64), stop)
