"""Two people under one name: planted mixtures come first and come apart cleanly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering.between_means import BetweenMeans, similarity_to_the_rest
from annotation.clustering.centroids import centroids
from annotation.clustering.cohort import strangers_by_label
from annotation.clustering.mixtures import Mixtures, find_mixtures
from foundation.errors import InvalidInput
from tests.annotation.clustering.test_suspects import PRIOR, STRANGERS, people, unit

Array = np.ndarray[Any, Any]


def mixtures(vectors: Array, labels: Array) -> Mixtures:
    return find_mixtures(vectors, labels, impostors=strangers_by_label(vectors, labels, STRANGERS), prior=PRIOR)


@pytest.mark.parametrize(("few", "many"), [(1, 1), (2, 2), (2, 3), (6, 6), (20, 20), (2, 60), (7, 60)])
def test_a_mixture_even_or_not_comes_first_and_comes_apart(few: int, many: int) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        sizes = [few, many, *rng.integers(2, 30, 80).tolist()]
        vectors, labels = people(rng, sizes)
        half = labels == 0
        labels[half] = 1
        order = rng.permutation(len(labels))
        found = mixtures(vectors[order], labels[order])
        assert found.labels[found.score.argmax()] == 1
        assert (found.score > 0).sum() == 1 and found.certainty.max() > 0.4
        assert found.sizes[0].tolist() == [few, many]
        cut = found.smaller[labels[order] == 1]
        truth = half[order][labels[order] == 1]
        assert np.array_equal(cut, truth) or (few == many and np.array_equal(~cut, truth))


def test_people_of_their_own_are_left_whole() -> None:
    vectors, labels = people(np.random.default_rng(5), [1, *range(2, 60)])
    found = mixtures(vectors, labels)
    assert (found.score < 0).all() and (found.certainty < 0.1).all()
    assert found.labels.tolist() == list(range(1, 59)) and not found.smaller[0]
    assert (found.similarity > found.strangers).all() and (found.sizes[:, 0] >= 1).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_the_figures_belong_to_the_halves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, labels = people(rng, rng.integers(1, 9, 12).tolist(), d=5)
    labels = rng.permutation(labels)
    found = mixtures(vectors, labels)
    counts = np.bincount(labels)
    assert found.labels.tolist() == np.flatnonzero(counts > 1).tolist()
    for at, label in enumerate(found.labels):
        halves = [vectors[(labels == label) & (found.smaller == side)].astype(np.float64) for side in (True, False)]
        assert [len(half) for half in halves] == found.sizes[at].tolist()
        assert 1 <= len(halves[0]) <= len(halves[1])
        a, b = (half.sum(axis=0) for half in halves)
        assert found.similarity[at] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-4)
    again = mixtures(vectors, labels)
    assert all(np.array_equal(x, y) for x, y in zip(vars(found).values(), vars(again).values(), strict=True))


def test_the_widest_cut_of_few_faces_is_found() -> None:
    """Against all ways to cut up to eight faces: the halves' means are nearly as unlike as they can be."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        vectors, labels = people(rng, [4, 4, *[3] * 40])
        labels[labels == 1] = 0
        found = mixtures(vectors, labels)
        rows = np.flatnonzero(labels == 0)
        least = min(cut_similarity(vectors[rows], ways) for ways in range(1, 2**7))
        assert found.similarity[0] <= least + 0.15


def cut_similarity(faces: Array, ways: int) -> float:
    side = np.array([ways >> bit & 1 for bit in range(len(faces))], np.bool_)
    if min(side.sum(), (~side).sum()) < 2:
        return 1.0
    a, b = faces[side].sum(axis=0), faces[~side].sum(axis=0)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_faces_that_are_alike_or_cancel_out() -> None:
    copies = mixtures(np.tile(unit(np.ones((1, 4))), (5, 1)), np.zeros(5, np.int64))
    assert copies.sizes.sum() == 5 and copies.sizes.min() >= 1 and copies.score[0] < 0
    opposite = mixtures(np.array([[1, 0], [-1, 0]], np.float32), np.array([3, 3]))
    assert opposite.similarity.tolist() == [-1] and opposite.score[0] > 0
    none = mixtures(np.empty((0, 4), np.float32), np.empty(0, np.int64))
    alone = mixtures(unit(np.eye(3)), np.arange(3))
    assert len(none.labels) == len(alone.labels) == 0 and alone.smaller.tolist() == [False] * 3


def test_bad_input_is_refused() -> None:
    vectors, labels = people(np.random.default_rng(0), [2, 2])
    with pytest.raises(InvalidInput) as refused:
        mixtures(vectors * 7, labels)
    assert refused.value.code == "vectors_not_normalised"
    with pytest.raises(InvalidInput, match="from 0"):
        find_mixtures(vectors, labels - 1, impostors=STRANGERS, prior=PRIOR)


def test_means_of_more_faces_are_surer() -> None:
    vectors, labels = people(np.random.default_rng(3), [40] * 40)
    between = BetweenMeans(vectors, labels, strangers_by_label(vectors, labels, STRANGERS), PRIOR)
    evidence = []
    for size in (1, 4, 20):
        rows = np.concatenate([np.arange(size), 20 + np.arange(size), 40 + np.arange(size)])
        middles = centroids(vectors[rows], np.repeat(np.arange(3), size))
        found = between.compare(middles, np.array([0, 0, 1]), np.array([[0, 1], [0, 2]]))
        assert found.evidence[0] > 0 > found.evidence[1]
        evidence.append(found.evidence)
    assert evidence[0][0] < evidence[1][0] < evidence[2][0] and evidence[0][1] > evidence[1][1] > evidence[2][1]


def test_similarity_to_the_rest_by_hand() -> None:
    vectors, labels = people(np.random.default_rng(1), [1, 2, 5])
    own, others = similarity_to_the_rest(vectors, labels)
    assert others.tolist() == [0, 1, 1, 4, 4, 4, 4, 4] and own[0] == 0
    assert own[1] == pytest.approx(vectors[1] @ vectors[2], abs=1e-5)
    rest = vectors[4:].sum(axis=0)
    assert own[3] == pytest.approx(vectors[3] @ rest / np.linalg.norm(rest), abs=1e-5)
