from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering import explain, near_clusters
from annotation.clustering.vectors import Vectors, number_clusters
from tests.annotation.clustering.made_up_faces import DIRECTIONS, distance_matrix, people, tied_vectors


def check(vectors: Vectors, labels: np.ndarray) -> None:
    distances = distance_matrix(vectors)
    exact = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    found = explain(vectors, labels)
    for cluster in range(int(labels.max(initial=-1)) + 1):
        members = np.flatnonzero(labels == cluster)
        assert found.sizes[cluster] == len(members)
        pairs = list(itertools.combinations(members.tolist(), 2))
        if not pairs:
            only = members[0]
            assert found.widest[cluster].tolist() == [only, only]
            assert found.medoid[cluster] == found.weakest[cluster] == only
            assert found.widest_similarity[cluster] == found.weakest_similarity[cluster] == 1
            continue
        widest = max(pairs, key=lambda pair: distances[pair])
        assert found.widest[cluster].tolist() == list(widest)
        assert found.widest_similarity[cluster] == 1 - distances[widest]
        means = {i: np.mean([exact[i, j] for j in members if j != i]) for i in members.tolist()}
        assert np.isclose(means[int(found.medoid[cluster])], max(means.values()), atol=1e-6)
        assert np.isclose(means[int(found.weakest[cluster])], min(means.values()), atol=1e-6)
        assert np.allclose(found.cohesion[members], list(means.values()), atol=1e-6)


@settings(max_examples=80, deadline=None)
@given(tied_vectors(), st.randoms(use_true_random=False))
def test_agrees_with_all_pairs_among_ties(vectors: Vectors, random) -> None:  # type: ignore[no-untyped-def]
    check(vectors, number_clusters(np.array([random.randrange(3) for _ in vectors], np.int64)))


def test_agrees_with_all_pairs_in_clusters_small_and_large() -> None:
    vectors, truth = people(seed=6, count=4, faces=300, dimensions=32)
    check(vectors, number_clusters(truth))  # about 75 faces each: matrix products
    check(vectors, number_clusters(truth * 100 + np.arange(300) % 20))  # a few each: the plain kernel


def test_the_separating_pair_is_the_farthest_of_two_near_clusters() -> None:
    vectors, truth = people(seed=7, count=9, faces=120, noise=0.5, dimensions=8)
    labels = number_clusters(truth)
    distances = distance_matrix(vectors)
    near = near_clusters(vectors, labels, min_similarity=0.0, neighbours=3)
    assert len(near.clusters) >= 9
    assert np.all(np.diff(near.centroid_similarity) <= 0)
    assert near.centroid_similarity.min() >= 0
    assert len(np.unique(near.clusters, axis=0)) == len(near.clusters)
    for (a, b), pair, similarity, settles in zip(
        near.clusters, near.separating, near.separating_similarity, near.settles, strict=True
    ):
        of_a, of_b = np.flatnonzero(labels == a), np.flatnonzero(labels == b)
        assert a < b
        assert labels[pair].tolist() == [a, b]
        assert np.isclose(1 - similarity, distances[np.ix_(of_a, of_b)].max(), atol=1e-7)
        assert settles == min(len(of_a), len(of_b))


def test_one_cluster_has_no_neighbours() -> None:
    assert len(near_clusters(DIRECTIONS, np.zeros(26, np.int64), min_similarity=-1).clusters) == 0
    assert len(explain(DIRECTIONS[:0], np.zeros(0, np.int64)).sizes) == 0
