from __future__ import annotations

import numpy as np
import pytest

from annotation.clustering import Constraints, Thresholds, centroids, cluster
from annotation.clustering.explanation import explain
from annotation.clustering.questions import _to_the_others, worthwhile_questions
from tests.annotation.clustering.made_up_faces import normalised, people

THRESHOLDS = Thresholds(core_distance=0.4, merge_similarity=0.6)
NOTHING = np.empty((0, 2), np.int64)


def album() -> tuple[np.ndarray, np.ndarray]:
    """Two near clusters of three (0-2, 3-5), a far single face (6), a pair that barely holds (7, 8)."""
    angles = np.radians([0, 1, 2, 55, 56, 57, 0, 0, 52])
    plane = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    vectors = np.zeros((9, 6))
    vectors[:6, :2], vectors[6, 2], vectors[7:, 3:5] = plane[:6], 1, plane[7:]
    return normalised(vectors), np.array([0, 0, 0, 1, 1, 1, 2, 3, 3])


def test_asks_about_what_nearly_merged_and_what_nearly_came_apart() -> None:
    vectors, labels = album()
    found = worthwhile_questions(vectors, labels, THRESHOLDS, NOTHING)
    assert found.faces.tolist() == [[1, 4], [7, 8]]
    assert found.value[0] == pytest.approx(3 * (1 - (0.6 - np.cos(np.radians(55))) / 0.3) ** 3, abs=1e-3)
    assert found.value[1] == pytest.approx(1 - (np.cos(np.radians(52)) - 0.6) / 0.3, abs=1e-4)


def test_an_answered_question_is_not_asked_again() -> None:
    vectors, labels = album()
    found = worthwhile_questions(vectors, labels, THRESHOLDS, np.array([[0, 5]]))  # another pair of the same clusters
    assert found.faces.tolist() == [[7, 8]]
    assert not len(worthwhile_questions(vectors, labels, THRESHOLDS, np.array([[8, 7], [1, 4]])).faces)


def test_the_weakest_face_is_held_against_the_mean_of_the_others() -> None:
    vectors, labels = people(seed=4, count=6, faces=60)
    labels = np.unique(labels, return_index=True)[1].argsort().argsort()[labels]  # numbered by smallest member
    explanation = explain(vectors, labels)
    found = _to_the_others(explanation, centroids(vectors, labels), np.arange(6), 0.1)
    for cluster_, similarity in enumerate(found):
        weak = int(explanation.weakest[cluster_])
        mean = vectors[(labels == cluster_) & (np.arange(60) != weak)].astype(np.float64).mean(axis=0)
        length = np.linalg.norm(mean)
        assert similarity == pytest.approx(vectors[weak] @ mean / length - 0.1 * (1 / length - 1), abs=1e-5)


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
        assert not {tuple(pair) for pair in asked.tolist()} & {tuple(pair) for pair in pairs.tolist()}
        pairs = np.concatenate([pairs, asked])
    same = truth[pairs[:, 0]] == truth[pairs[:, 1]]
    assert same.sum() >= 10  # of random pairs one in forty would be
    assert int(labels.max()) < before


@pytest.mark.parametrize("n", [0, 1])
def test_no_face_and_one_face(n: int) -> None:
    vectors, _ = people(seed=3, count=1, faces=1)
    assert not len(worthwhile_questions(vectors[:n], np.zeros(n, np.int64), THRESHOLDS, NOTHING).faces)
