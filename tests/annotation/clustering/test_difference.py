"""The difference of two labelings against plain sets of faces."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.clustering import Constraints
from annotation.clustering.difference import ABSENT, ALONE, contradictions, difference
from foundation.errors import InvalidInput

labelings = st.integers(0, 24).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(-2, 6), min_size=n, max_size=n) for _ in range(2)])
)


def clusters_of(labels: list[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for face, label in enumerate(labels):
        if label >= 0:
            found[label].add(face)
    return {label: faces for label, faces in found.items() if len(faces) > 1}


def heirs_of(before: dict[int, set[int]], after: dict[int, set[int]]) -> dict[int, int]:
    pairs = [(a, b, sorted(before[a] & after[b])) for a in before for b in after if before[a] & after[b]]
    heir: dict[int, int] = {}
    for a, b, _ in sorted(pairs, key=lambda pair: (-len(pair[2]), pair[2][0])):
        if a not in heir and b not in heir.values():
            heir[a] = b
    return heir


def rows(mask: np.ndarray) -> set[int]:  # type: ignore[type-arg]
    return set(np.flatnonzero(mask).tolist())


@given(labelings)
def test_it_is_what_sets_of_faces_say(pair: tuple[list[int], list[int]]) -> None:
    old, new = pair
    found = difference(np.array(old, np.int64), np.array(new, np.int64))
    before, after = clusters_of(old), clusters_of(new)
    heir = heirs_of(before, after)
    home_before = {face: label for label, faces in before.items() for face in faces}
    home_after = {face: label for label, faces in after.items() for face in faces}
    assert dict(found.heirs.tolist()) == heir
    assert rows(found.moved) == {
        f for f in home_before if f in home_after and heir.get(home_before[f]) != home_after[f]
    }
    known = {f for f in range(len(old)) if old[f] != ABSENT}
    known_after = {f for f in range(len(new)) if new[f] != ABSENT}
    assert rows(found.joined) == {f for f in home_after if f in known and f not in home_before}
    assert rows(found.left) == {f for f in home_before if f in known_after and f not in home_after}
    assert rows(found.appeared) == known_after - known
    assert rows(found.vanished) == known - known_after
    parts = {a: [b for b in after if before[a] & after[b]] for a in before}
    sources = {b: [a for a in before if before[a] & after[b]] for b in after}
    assert set(found.split.tolist()) == {a for a in before if len(parts[a]) > 1}
    assert set(found.gone.tolist()) == {a for a in before if not parts[a]}
    assert set(found.merged.tolist()) == {b for b in after if len(sources[b]) > 1}
    assert set(found.new.tolist()) == {b for b in after if not sources[b]}
    assert found.same == sum(faces in after.values() for faces in before.values())
    flows = {(a, b): len(before[a] & after[b]) for a in before for b in after if before[a] & after[b]}
    assert {(a, b): faces for a, b, faces in found.flows.tolist()} == flows
    assert found.flows[:, 2].tolist() == sorted(flows.values(), reverse=True)


@given(labelings, st.permutations(range(7)))
def test_nothing_hangs_on_the_numbering(pair: tuple[list[int], list[int]], numbers: list[int]) -> None:
    old, new = (np.array(labels, np.int64) for labels in pair)
    renamed = np.array([numbers[label] * 10**12 if label >= 0 else label for label in new.tolist()], np.int64)
    first, second = difference(old, new), difference(old, renamed)
    for name in ("moved", "joined", "left", "appeared", "vanished", "split", "gone"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    assert (first.same, len(first.merged), len(first.new)) == (second.same, len(second.merged), len(second.new))


@given(st.lists(st.integers(-2, 6), max_size=24))
def test_a_labeling_does_not_differ_from_itself(labels: list[int]) -> None:
    found = difference(np.array(labels, np.int64), np.array(labels, np.int64))
    assert not found.changed.any()
    assert found.same == len(clusters_of(labels)) == len(found.heirs)
    assert not len(found.split) + len(found.merged) + len(found.new) + len(found.gone)


def test_a_split_moves_the_smaller_part() -> None:
    found = difference(np.array([5, 5, 5, 5, 5, -1]), np.array([8, 8, 9, 9, 9, 9]))
    assert found.split.tolist() == [5] and not len(found.merged)
    assert rows(found.moved) == {0, 1} and rows(found.joined) == {5}
    assert found.flows.tolist() == [[5, 9, 3], [5, 8, 2]]


@given(
    st.lists(st.integers(-2, 4), min_size=2, max_size=14).flatmap(
        lambda labels: st.tuples(
            st.just(labels),
            st.lists(st.integers(-1, 3), min_size=len(labels), max_size=len(labels)),
            *[st.sets(st.sampled_from(list(combinations(range(len(labels)), 2))), max_size=6) for _ in range(2)],
        )
    )
)
def test_contradictions_are_those_that_pairs_show(
    given: tuple[list[int], list[int], set[tuple[int, int]], set[tuple[int, int]]],
) -> None:
    labels, people, must, cannot = given
    n = len(labels)
    found = contradictions(
        np.array(labels, np.int64),
        Constraints(
            identity=np.array(people, np.int64),
            photo=np.full(n, -1),
            must=np.array(sorted(must), np.int64).reshape(-1, 2),
            cannot=np.array(sorted(cannot), np.int64).reshape(-1, 2),
        ),
    )
    there = {(a, b) for a, b in combinations(range(n), 2) if ABSENT not in (labels[a], labels[b])}
    one = {(a, b) for a, b in there if labels[a] == labels[b] != ALONE}
    named = {(a, b) for a, b in there if min(people[a], people[b]) >= 0}
    together = {(a, b) for a, b in one if (a, b) in cannot or ((a, b) in named and people[a] != people[b])}
    parted = {(a, b) for a, b in there - one if (a, b) in must or ((a, b) in named and people[a] == people[b])}
    told = {tuple(pair) for pair in found.together.tolist()}, {tuple(pair) for pair in found.parted.tolist()}
    assert told[0] <= together and told[0] >= (one & cannot)
    assert told[1] <= parted and told[1] >= (must & there - one)
    mixed = {labels[a] for a, b in together}
    assert {labels[a] for a, b in told[0]} == mixed  # every cluster that is at fault is told
    at_fault = [{people[a] for a, b in pairs if people[a] == people[b] >= 0} for pairs in (told[1], parted)]
    assert at_fault[0] == at_fault[1]  # and every person


def test_a_person_in_three_places_is_told_twice() -> None:
    found = contradictions(
        np.array([0, 0, 1, 1, -1]),
        Constraints(np.array([7, 7, 7, 8, 7]), np.full(5, -1), np.empty((0, 2), np.int64), np.empty((0, 2), np.int64)),
    )
    assert found.parted.tolist() == [[0, 2], [0, 4]]
    assert found.together.tolist() == [[2, 3]]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (np.zeros(3, np.int64), np.zeros(2, np.int64), "bad_shape"),
        (np.full(2, -3), np.zeros(2, np.int64), "bad_labels"),
        (np.zeros(2), np.zeros(2, np.int64), "bad_labels"),
        (np.zeros((2, 2), np.int64), np.zeros(2, np.int64), "bad_labels"),
    ],
)
def test_what_are_no_labels_is_refused(before: np.ndarray, after: np.ndarray, code: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InvalidInput) as caught:
        difference(before, after)
    assert caught.value.code == code
