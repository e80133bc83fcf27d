from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score

from annotation.clustering import Agreement, Settling, agreement, settling
from foundation.errors import InvalidInput

LABELS = st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 5), st.booleans()), max_size=25)


def alone(values: list[int]) -> list[int]:
    return [value if value >= 0 else 1000 + index for index, value in enumerate(values)]


def brute_force(labels: list[int], truth: list[int]) -> tuple[float, float, float, float, float]:
    n, precision, recall = len(labels), [], []
    for i in range(n):
        cluster = [j for j in range(n) if labels[j] == labels[i]]
        person = [j for j in range(n) if truth[j] == truth[i]]
        both = len(set(cluster) & set(person))
        precision.append(both / len(cluster))
        recall.append(both / len(person))
    pairs = list(itertools.combinations(range(n), 2))
    linked = [labels[i] == labels[j] for i, j in pairs]
    true = [truth[i] == truth[j] for i, j in pairs]
    agreed = sum(a and b for a, b in zip(linked, true, strict=True))
    purity = (
        sum(
            max(truth.count(t) and sum(1 for j in range(n) if labels[j] == c and truth[j] == t) for t in set(truth))
            for c in set(labels)
        )
        / n
    )
    return (
        float(np.mean(precision)),
        float(np.mean(recall)),
        agreed / sum(linked) if sum(linked) else 1.0,
        agreed / sum(true) if sum(true) else 1.0,
        purity,
    )


def figures(found: Agreement) -> tuple[float, float, float, float, float]:
    return (
        found.bcubed.precision,
        found.bcubed.recall,
        found.pairwise.precision,
        found.pairwise.recall,
        found.purity,
    )


@settings(max_examples=200, deadline=None)
@given(LABELS)
def test_agrees_with_brute_force(faces: list[tuple[int, int, bool]]) -> None:
    labels, truth = np.array([f[0] for f in faces], np.int64), np.array([f[1] for f in faces], np.int64)
    mask = np.array([f[2] for f in faces], np.bool_)
    kept = np.flatnonzero(mask).tolist()
    found = agreement(labels, truth, mask)
    assert found.faces == len(kept)
    if not kept:
        assert figures(found) == (1, 1, 1, 1, 1)
        return
    single_labels, single_truth = alone(labels.tolist()), alone(truth.tolist())
    expected_labels, expected_truth = [single_labels[i] for i in kept], [single_truth[i] for i in kept]
    assert figures(found) == pytest.approx(brute_force(expected_labels, expected_truth))
    assert found.nmi == pytest.approx(normalized_mutual_info_score(expected_truth, expected_labels), abs=1e-9)
    assert found.clusters == len(set(expected_labels))
    assert found.identities == len(set(expected_truth))


def test_published_example() -> None:
    """Two clusters {a a a a b} and {b b}: worked by hand."""
    found = agreement(np.array([0, 0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 0, 1, 1, 1]))
    assert found.bcubed.precision == pytest.approx((4 * 4 / 5 + 1 / 5 + 2) / 7)
    assert found.bcubed.recall == pytest.approx((4 + 1 / 3 + 2 * 2 / 3) / 7)
    assert found.pairwise.f == pytest.approx(2 * (7 / 11) * (7 / 9) / (7 / 11 + 7 / 9))


def test_a_million_faces_take_seconds_not_pairs() -> None:
    truth = np.repeat(np.arange(1000), 1000)
    found = agreement(truth // 2, truth)
    assert found.pairwise.precision == pytest.approx(999 / 1999)
    assert found.bcubed.precision == 0.5


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(InvalidInput, match="truth must be 3 integers"):
        agreement(np.zeros(3, np.int64), np.zeros(2, np.int64))


def right_faces(labels: list[int], truth: list[int]) -> set[int]:
    """Faces whose cluster is matched to their person, largest overlap first, found by trying all pairs each time."""
    labels, right = alone(labels), set()
    clusters, people = set(labels), {person for person in truth if person >= 0}
    while clusters and people:
        overlaps = {
            (c, p): [i for i in range(len(truth)) if labels[i] == c and truth[i] == p] for c in clusters for p in people
        }
        (cluster, person), faces = min(overlaps.items(), key=lambda item: (-len(item[1]), item[1][:1]))
        if not faces:
            break
        right |= set(faces)
        clusters.remove(cluster)
        people.remove(person)
    return right


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-1, 4)] * 3), max_size=20), st.integers(0, 3))
def test_settling_agrees_with_brute_force(rows: list[tuple[int, int, int]], decisions: int) -> None:
    before, after, truth = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    was, now = right_faces(before, truth), right_faces(after, truth)
    arrays = (np.array(values, np.int64) for values in (before, after, truth))
    found = settling(*arrays, decisions=decisions)
    assert found == Settling(len(now - was), len(was - now), decisions)
    assert found.per_decision * decisions == pytest.approx((len(now) - len(was)) * (decisions > 0))


def test_a_merge_settles_the_smaller_side_and_a_split_the_strangers() -> None:
    truth = np.repeat([0, 1], [40, 5])
    parted = np.repeat([0, 1, 2], [30, 10, 5])
    assert settling(parted, truth, truth, decisions=2).per_decision == 5
    assert settling(np.zeros(45, np.int64), truth, truth, decisions=1) == Settling(5, 0, 1)
    assert settling(truth, parted, truth, decisions=1).per_decision == -10
    with pytest.raises(InvalidInput, match="decisions"):
        settling(truth, truth, truth, decisions=-1)
