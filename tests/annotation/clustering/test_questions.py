from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering import (
    Constraints,
    Thresholds,
    calibrate,
    centroids,
    cluster,
    weakest_parts,
    worthwhile_questions,
)
from annotation.clustering.typical import two_parts, typical
from annotation.clustering.vectors import number_clusters
from foundation.errors import InvalidInput
from tests.annotation.clustering.made_up_faces import normalised, people

THRESHOLDS = Thresholds(core_distance=0.4, merge_similarity=0.6)
NOTHING = np.empty((0, 2), np.int64)


def album() -> tuple[np.ndarray, np.ndarray]:
    """Two near clusters of three (0-2, 3-5), a far single face (6), a pair that barely holds (7, 8)."""
    angles = np.radians([0, 1, 2, 55, 56, 57, 0, 0, 64])
    plane = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    vectors = np.zeros((9, 6))
    vectors[:6, :2], vectors[6, 2], vectors[7:, 3:5] = plane[:6], 1, plane[7:]
    return normalised(vectors), np.array([0, 0, 0, 1, 1, 1, 2, 3, 3])


def test_asks_about_what_nearly_merged_and_what_nearly_came_apart() -> None:
    vectors, labels = album()
    found = worthwhile_questions(vectors, labels, THRESHOLDS, NOTHING)
    faces = [tuple(sorted(pair)) for pair in found.faces.tolist()]
    assert faces[:2] == [(1, 4), (7, 8)]
    assert found.clusters[:2].tolist() == [[0, 1], [3, 3]] and found.sizes[:2].tolist() == [[3, 3], [1, 1]]
    assert found.similarity[:2] == pytest.approx(np.cos(np.radians([55, 64])), abs=1e-6)
    assert found.settles[:2].tolist() == [3, 1]
    assert found.value[:2] == pytest.approx([3 * found.same[0], 1 - found.same[1]])
    # The clusters of three hold well, and are worth next to nothing; a face of three would gain 4/3 by leaving.
    assert found.sizes[2:].tolist() == [[1, 2], [1, 2]]
    assert found.value[2:] == pytest.approx(4 / 3 * (1 - found.same[2:])) and found.value[2:].max() < 0.02


def test_the_weakest_parts_are_the_questions_about_one_cluster() -> None:
    vectors, labels = album()
    found = weakest_parts(vectors, 70 - 10 * labels, THRESHOLDS)
    assert found.clusters.tolist() == [[40, 40], [60, 60], [70, 70]]
    asked = worthwhile_questions(vectors, 70 - 10 * labels, THRESHOLDS, NOTHING)
    one = asked.take(asked.clusters[:, 0] == asked.clusters[:, 1])
    by_cluster = np.argsort(one.clusters[:, 0])
    for column in ("faces", "same", "value", "settles"):
        assert getattr(one.take(by_cluster), column).tolist() == getattr(found, column).tolist()
    assert not len(weakest_parts(vectors[:1], labels[:1], THRESHOLDS))


def test_faces_that_people_tied_together_are_not_asked_apart() -> None:
    vectors, labels = album()
    tied = np.array([[7, 8], [0, 2], [2, 6]])  # the last of two clusters, which says nothing of either
    found = worthwhile_questions(vectors, labels, THRESHOLDS, NOTHING, tied=tied)
    within = found.take(found.clusters[:, 0] == found.clusters[:, 1])
    assert sorted(within.clusters[:, 0].tolist()) == [0, 1]
    [first] = within.take(within.clusters[:, 0] == 0).faces.tolist()
    assert first[0] == 1 and first[1] in (0, 2)
    assert weakest_parts(vectors, labels, THRESHOLDS, tied=tied).clusters[:, 0].tolist() == [0, 1]
    plain = worthwhile_questions(vectors, labels, THRESHOLDS, NOTHING)
    two = plain.take(plain.clusters[:, 0] != plain.clusters[:, 1])
    assert two.faces.tolist() == found.take(found.clusters[:, 0] != found.clusters[:, 1]).faces.tolist()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), ties=st.integers(0, 40))
def test_no_cut_parts_what_is_tied(seed: int, ties: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, truth = people(seed=seed % 1000, count=6, faces=40, noise=0.7)
    labels, tied = number_clusters(truth), rng.integers(0, 40, (ties, 2))
    found = weakest_parts(vectors, labels, THRESHOLDS, tied=tied)
    unit = np.arange(40)
    for a, b in tied[labels[tied[:, 0]] == labels[tied[:, 1]]].tolist():
        unit[unit == unit[a]] = unit[b]
    several = [label for label in np.unique(labels).tolist() if len(np.unique(unit[labels == label])) > 1]
    assert found.clusters.tolist() == [[label, label] for label in several]
    assert (unit[found.faces[:, 0]] != unit[found.faces[:, 1]]).all()
    sizes = {int(label): int((labels == label).sum()) for label in several}
    assert found.sizes.sum(axis=1).tolist() == [sizes[label] for label in several]


def test_similarity_is_what_merges_compare_with_their_threshold() -> None:
    vectors, truth = people(seed=4, count=12, faces=120, noise=0.7)
    labels = number_clusters(truth * 2 + np.arange(120) % 2)
    thresholds = Thresholds(core_distance=0.4, merge_similarity=0.6, stranger_similarity=0.1)
    found = worthwhile_questions(vectors, labels, thresholds, NOTHING)
    middles, of = centroids(vectors, labels), found.clusters
    dots = np.einsum("ij,ij->i", middles.directions[of[:, 0]], middles.directions[of[:, 1]])
    two = of[:, 0] != of[:, 1]
    expected = dots - 0.1 * (1 / middles.lengths[of].prod(axis=1) - 1)
    assert two.sum() >= 12 and found.similarity[two] == pytest.approx(expected[two], abs=1e-5)


def test_labels_may_be_any_numbers() -> None:
    vectors, labels = album()
    plain, others = (worthwhile_questions(vectors, of, THRESHOLDS, NOTHING) for of in (labels, 70 - 10 * labels))
    assert others.faces.tolist() == plain.faces.tolist()
    assert others.clusters.tolist() == (70 - 10 * plain.clusters).tolist()


def test_an_answered_question_is_not_asked_again() -> None:
    vectors, labels = album()
    found = worthwhile_questions(vectors, labels, THRESHOLDS, np.array([[0, 5]]))  # another pair of the same clusters
    assert {tuple(sorted(pair)) for pair in found.faces.tolist()} == {(7, 8), (3, 4), (0, 1)}
    answered = np.array([[8, 7], [1, 4], [4, 3], [0, 1]])
    assert not len(worthwhile_questions(vectors, labels, THRESHOLDS, answered))


def test_how_likely_two_clusters_are_one_person_tells_them_from_strangers() -> None:
    vectors, truth = people(seed=10, count=250, faces=1000, noise=1.15)
    thresholds = calibrate(vectors).thresholds
    labels = cluster(vectors, thresholds=thresholds).labels
    found = worthwhile_questions(vectors, labels, thresholds, NOTHING)
    two = found.clusters[:, 0] != found.clusters[:, 1]
    same = truth[found.faces[:, 0]] == truth[found.faces[:, 1]]
    order = np.argsort(-found.same[two])
    ranked = same[two][order]
    assert ranked[:20].mean() > 0.7 and ranked[-50:].mean() < 0.35
    assert (~same[~two]).sum() / 3 < (1 - found.same[~two]).sum() < 3 * (~same[~two]).sum()
    assert np.all(np.diff(found.value) <= 0)


def test_answers_to_the_questions_mend_the_clustering() -> None:
    vectors, truth = people(seed=6, count=40, faces=200, noise=1.1)
    pairs = NOTHING
    for _ in range(30):
        same = truth[pairs[:, 0]] == truth[pairs[:, 1]]
        none = Constraints.none(200)
        constraints = Constraints(none.identity, none.photo, pairs[same], pairs[~same])
        labels = cluster(vectors, constraints=constraints, thresholds=THRESHOLDS).labels
        if not len(pairs):
            before = int(labels.max())
        asked = worthwhile_questions(vectors, labels, THRESHOLDS, pairs).faces[:1]
        assert not {tuple(sorted(pair)) for pair in asked.tolist()} & {tuple(sorted(pair)) for pair in pairs.tolist()}
        pairs = np.concatenate([pairs, asked])
    same = truth[pairs[:, 0]] == truth[pairs[:, 1]]
    assert same.sum() >= 20  # of random pairs one in forty would be
    assert int(labels.max()) < before - 10


def test_what_better_questions_will_tell_is_worth_less() -> None:
    rng = np.random.default_rng(5)
    others, _ = people(seed=9, count=60, faces=120, noise=0.5)
    person = rng.normal(size=64)
    parts = [person + 0.45 * 8 * rng.normal(size=64) / 8 for _ in range(3)]
    trio = np.concatenate([part + 0.2 * rng.normal(size=(4, 64)) for part in parts])
    vectors = normalised(np.concatenate([trio, others]))
    labels = np.concatenate([np.repeat([0, 1, 2], 4), 3 + np.arange(120)])
    found = worthwhile_questions(vectors, labels, THRESHOLDS, NOTHING)
    among = np.flatnonzero((found.clusters < 3).all(axis=1) & (found.clusters[:, 0] != found.clusters[:, 1]))
    assert len(among) == 3 and np.all(found.same[among] > 0.9)
    gain = found.value[among] / found.settles[among]
    assert gain[:2] == pytest.approx(found.same[among[:2]]) and gain[2] < 0.1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_every_cluster_is_cut_around_its_weakest_face(seed: int, faces: int) -> None:
    vectors, labels = people(seed, count=5, faces=faces, noise=0.9, dimensions=8)
    labels = number_clusters(labels)
    middles = centroids(vectors, labels)
    second = two_parts(vectors, labels, middles)
    quality = np.random.default_rng(seed).random(faces)
    hearts, clear = typical(vectors, labels, middles), typical(vectors, labels, middles, quality)
    for of in range(int(labels.max()) + 1):
        rows = np.flatnonzero(labels == of)
        like = vectors[rows] @ middles.directions[of]
        assert like[rows == hearts[of]] >= like.max() - 2e-5
        scores = np.maximum(like, 0) * quality[rows]
        assert scores[rows == clear[of]] >= scores.max() - 2e-5
        if len(rows) == 1:
            assert not second[rows].any()
            continue
        assert second[rows].any() and not second[rows].all()
        assert second[rows[like.argmin()]] or np.sort(like)[1] - like.min() < 2e-5


def test_copies_of_one_face_can_be_cut_too() -> None:
    vectors = np.repeat(people(seed=1, count=1, faces=1)[0], 4, axis=0)
    labels = np.zeros(4, np.int64)
    assert 0 < two_parts(vectors, labels, centroids(vectors, labels)).sum() < 4
    assert worthwhile_questions(vectors, labels, THRESHOLDS, NOTHING).value.max(initial=0) < 0.01


@pytest.mark.parametrize("n", [0, 1])
def test_no_face_and_one_face(n: int) -> None:
    vectors, _ = people(seed=3, count=1, faces=1)
    found = worthwhile_questions(vectors[:n], np.zeros(n, np.int64), THRESHOLDS, NOTHING)
    assert not len(found) and found.faces.shape == (0, 2)


def test_bad_input_is_refused() -> None:
    vectors, labels = album()
    with pytest.raises(InvalidInput, match="Quality"):
        worthwhile_questions(vectors, labels, THRESHOLDS, NOTHING, quality=np.ones(3))
    with pytest.raises(InvalidInput, match="not there"):
        worthwhile_questions(vectors, labels, THRESHOLDS, np.array([[0, 9]]))
