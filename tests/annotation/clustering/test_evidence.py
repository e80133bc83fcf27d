from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering import (
    Centroids,
    Constraints,
    agreement,
    centroids,
    complete_linkage,
    merge_cores,
    range_graph,
    resolve,
)
from annotation.clustering.apartness import Facts
from annotation.clustering.evidence import merge_evidence
from annotation.clustering.mean_linkage import Bodies
from annotation.clustering.mean_stages import merge_in_stages
from annotation.clustering.vectors import Vectors, number_clusters
from foundation.errors import InvalidInput
from tests.annotation.clustering.linkage_oracle import labels_of, mean_linkage_oracle, violations
from tests.annotation.clustering.made_up_faces import DIRECTIONS, constrained_vectors, constraints_for, people

# Unit rows whose products, and sums of a few of these, are exact in floating point: ties are ties.
HALVES = np.concatenate([np.eye(4), np.array(list(itertools.product((-0.5, 0.5), repeat=4)))]).astype(np.float32)


def bodies_of(middles: Centroids, stranger: float) -> Bodies:
    sums = middles.directions.astype(np.float64) * middles.sizes[:, None]
    return Bodies(sums, middles.sizes.astype(np.float64), middles.sizes / middles.lengths, stranger)


def check_against_oracle(
    vectors: Vectors, constraints: Constraints, core_distance: float, min_similarity: float, stranger: float
) -> None:
    resolution = resolve(constraints)
    core_labels = complete_linkage(range_graph(vectors, core_distance), resolution).labels
    middles = centroids(vectors, core_labels)
    cores = [np.flatnonzero(core_labels == core).tolist() for core in range(len(middles.sizes))]
    expected = mean_linkage_oracle(middles, cores, resolution, min_similarity, stranger)
    labels = merge_cores(vectors, core_labels, resolution, min_similarity=min_similarity, stranger_similarity=stranger)
    assert labels.tolist() == labels_of(expected, len(vectors))
    assert violations(labels, constraints, resolution) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.2, 0.45, 0.7]), st.sampled_from([0.0, 0.1]))
def test_agrees_with_mean_linkage_on_all_pairs(seed: int, min_similarity: float, stranger: float) -> None:
    vectors, truth = people(seed, count=6, faces=40, dimensions=6)
    rng = np.random.default_rng(seed)
    apart = np.array([rng.choice(40, 2, replace=False) for _ in range(8)])
    constraints = Constraints(
        identity=np.where(rng.random(40) < 0.1, truth, -1),
        photo=rng.integers(-1, 25, 40),
        must=np.empty((0, 2), np.int64),
        cannot=apart[truth[apart[:, 0]] != truth[apart[:, 1]]],
    )
    check_against_oracle(vectors, constraints, 0.15, min_similarity, stranger)


@settings(max_examples=60, deadline=None)
@given(constrained_vectors(), st.sampled_from([-1.0, 0.1, 0.4, 0.75, 1.0]))
def test_constraints_hold_with_ties_and_duplicates(given_: tuple[Vectors, Constraints], min_similarity: float) -> None:
    vectors, constraints = given_
    resolution = resolve(constraints)
    cores = complete_linkage(range_graph(vectors, 0.2), resolution).labels
    labels = merge_cores(vectors, cores, resolution, min_similarity=min_similarity)
    assert violations(labels, constraints, resolution) == []
    for core in range(int(cores.max(initial=-1)) + 1):
        assert len(set(labels[cores == core])) == 1


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 19), max_size=14), st.data(), st.sampled_from([-1.0, -0.25, 0.0, 0.25, 0.5, 1.0]))
def test_exact_ties_under_constraints_go_to_the_smallest_core(
    picks: list[int], data: st.DataObject, min_similarity: float
) -> None:
    vectors = np.ascontiguousarray(HALVES[np.array(picks, np.int64)])
    constraints = data.draw(constraints_for(len(vectors)))
    resolution = resolve(constraints)
    core_labels = complete_linkage(range_graph(vectors, 0.0), resolution).labels
    middles = centroids(vectors, core_labels)
    cores = [np.flatnonzero(core_labels == core).tolist() for core in range(len(middles.sizes))]
    whole = np.isin(middles.directions, (0, 1, -1, 0.5, -0.5)).all()  # must-links make other middles
    expected = mean_linkage_oracle(middles, cores, resolution, min_similarity, 0.0)
    labels = merge_cores(vectors, core_labels, resolution, min_similarity=min_similarity)
    assert violations(labels, constraints, resolution) == []
    pairs = data.draw(st.integers(1, 60))
    bodies, facts = bodies_of(middles, 0.0), Facts.of(core_labels, resolution)
    staged = merge_in_stages(bodies, facts, min_similarity, pairs=pairs)
    merges = merge_evidence(vectors, core_labels, resolution, min_similarity=min_similarity)
    if whole:
        assert staged.kept.tolist() == merges.kept.tolist()
        assert staged.dissolved.tolist() == merges.dissolved.tolist()
        assert labels.tolist() == labels_of(expected, len(vectors))


def test_cores_of_one_person_come_together() -> None:
    vectors, truth = people(seed=5, count=12, faces=400, noise=0.8)
    resolution = resolve(Constraints.none(len(vectors)))
    cores = complete_linkage(range_graph(vectors, 0.45), resolution).labels
    labels = merge_cores(vectors, cores, resolution, min_similarity=0.45)
    assert agreement(cores, truth).bcubed.recall < 0.5
    assert agreement(labels, truth).bcubed.f > 0.99


def test_opposite_faces_that_cancel_out_still_have_a_centroid() -> None:
    vectors = np.array([[1, 0], [-1, 0], [0, 1]], np.float32)
    middles = centroids(vectors, np.array([0, 0, 1]))
    assert middles.directions.tolist() == [[1, 0], [0, 1]]
    assert middles.sizes.tolist() == [2, 1]
    assert middles.lengths.tolist() == [1, 1]


def test_what_is_no_similarity_is_refused() -> None:
    with pytest.raises(InvalidInput, match="between -1 and 1"):
        merge_cores(DIRECTIONS, np.arange(26), resolve(Constraints.none(26)), min_similarity=1.5)


@pytest.mark.parametrize(("seed", "stranger"), [(1, 0.0), (2, 0.05)])
def test_stages_make_the_same_merges(seed: int, stranger: float) -> None:
    vectors, truth = people(seed, count=15, faces=300, noise=1.0)
    rng = np.random.default_rng(seed)
    none = Constraints.none(300)
    apart = rng.integers(0, 300, (40, 2))
    apart = apart[truth[apart[:, 0]] != truth[apart[:, 1]]]
    identity = np.where(rng.random(300) < 0.05, truth, -1)
    resolution = resolve(Constraints(identity, rng.integers(0, 150, 300), none.must, apart))
    cores = resolution.component
    whole = merge_evidence(vectors, cores, resolution, min_similarity=0.2, stranger_similarity=stranger)
    for pairs in (1, 1000, 5000):
        bodies, facts = bodies_of(centroids(vectors, cores), stranger), Facts.of(cores, resolution)
        staged = merge_in_stages(bodies, facts, 0.2, pairs=pairs)
        assert staged.kept.tolist() == whole.kept.tolist()
        assert staged.dissolved.tolist() == whole.dissolved.tolist()
        assert staged.similarities.tolist() == whole.similarities.tolist()


def test_a_graph_ten_times_too_dense_keeps_to_its_memory() -> None:
    vectors, _ = people(3, count=3, faces=3000, noise=0.5, dimensions=16)
    resolution = resolve(Constraints.none(len(vectors)))
    cores = np.arange(len(vectors))
    memory = 3 << 20
    assert 24 * len(range_graph(vectors, 0.6)) > 10 * memory
    whole = merge_evidence(vectors, cores, resolution, min_similarity=0.4)
    merge_evidence(
        vectors[:1500], cores[:1500], resolve(Constraints.none(1500)), min_similarity=0.4, memory_bytes=memory
    )
    tracemalloc.start()
    staged = merge_evidence(vectors, cores, resolution, min_similarity=0.4, memory_bytes=memory)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert staged.kept.tolist() == whole.kept.tolist()
    assert staged.dissolved.tolist() == whole.dissolved.tolist()
    assert peak <= memory + 40 * vectors.size  # the centroids come on top of the pairs


def test_raising_the_threshold_is_a_cut_of_the_same_merges() -> None:
    vectors, _ = people(seed=8, count=12, faces=300, noise=0.9)
    resolution = resolve(Constraints.none(len(vectors)))
    cores = complete_linkage(range_graph(vectors, 0.35), resolution).labels
    low = merge_evidence(vectors, cores, resolution, min_similarity=0.3, stranger_similarity=0.02)
    assert np.all(np.diff(low.similarities) < 1e-9)
    assert np.all(low.kept < low.dissolved)
    for similarity in (0.3, 0.45, 0.6, 0.9):
        again = merge_cores(vectors, cores, resolution, min_similarity=similarity, stranger_similarity=0.02)
        assert low.cut(similarity).tolist() == again.tolist()
    with pytest.raises(InvalidInput, match="end at"):
        low.cut(0.2)


def test_centroids_are_the_normalised_means_and_opposites_get_their_first_face() -> None:
    vectors, truth = people(seed=4, count=30, faces=500)
    vectors[0], vectors[1] = -vectors[2], vectors[2]
    labels = number_clusters(np.where(np.arange(500) < 2, 99, truth))
    found = centroids(vectors, labels)
    assert np.array_equal(found.directions[0], vectors[0]) and found.lengths[0] == 1
    for cluster in range(1, len(found.sizes)):
        mean = vectors[labels == cluster].mean(axis=0, dtype=np.float64)
        length = np.linalg.norm(mean)
        assert np.allclose(found.directions[cluster], mean / length, atol=1e-6)
        assert found.lengths[cluster] == pytest.approx(length)
        assert found.sizes[cluster] == np.sum(labels == cluster)
