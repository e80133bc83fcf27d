"""Constraints carry exactly what the ledger says about the rows given."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering.resolution import resolve
from annotation.ledger.constraints import constraints
from annotation.ledger.entries import Entry, Kind
from annotation.ledger.replay import replay
from tests.annotation.ledger.ledgers import FACES, random_ledger
from tests.annotation.ledger.oracle import Oracle


def test_a_rejected_face_is_kept_from_the_anchor_of_the_person_and_from_the_faces_beside_it() -> None:
    state = replay(
        [
            Entry(1, Kind.ASSIGN, faces=(10, 11), identity=7),
            Entry(2, Kind.REJECT, faces=(13,), others=(12,), identity=7),
        ]
    )
    links = constraints(state, np.array([13, 12, 11, 10], np.int64), np.array([1, 1, 2, 3], np.int64))
    assert links.identity.tolist() == [-1, -1, 7, 7]
    assert links.photo.tolist() == [1, 1, 2, 3]
    assert links.must.tolist() == []
    assert links.cannot.tolist() == [[0, 1], [0, 2]]


def test_links_through_absent_faces_are_kept() -> None:
    state = replay(
        [
            Entry(1, Kind.SAME, faces=(1,), others=(2,)),
            Entry(2, Kind.SAME, faces=(2,), others=(3,)),
            Entry(3, Kind.DIFFERENT, faces=(2,), others=(4,)),
        ]
    )
    links = constraints(state, np.array([1, 3, 4], np.int64), np.array([1, 2, 3], np.int64))
    assert links.must.tolist() == [[0, 1]]
    assert links.cannot.tolist() == [[0, 2]]


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 24))
def test_links_mean_what_the_naive_reading_says(seed: int, length: int) -> None:
    rng = random.Random(seed)
    entries = random_ledger(rng, length)
    state, oracle = replay(entries), Oracle(entries)
    rows = rng.sample(FACES, rng.randint(0, len(FACES)))
    rows = [face for face in rows if face not in state.set_aside]
    links = constraints(state, np.array(rows, np.int64), np.full(len(rows), -1, np.int64))
    settled = resolve(links)
    assert settled.clashes == ()
    apart = {tuple(sorted(pair)) for pair in settled.component[settled.cannot].tolist()}
    for i, a in enumerate(rows):
        for j, b in enumerate(rows[:i]):
            assert (settled.component[i] == settled.component[j]) == (b in oracle.component(a))
            pair = tuple(sorted((int(settled.component[i]), int(settled.component[j]))))
            persons = {int(settled.identity[i]), int(settled.identity[j])} - {-1}
            assert (pair in apart or len(persons) == 2) == _must_be_apart(oracle, a, b, set(rows))


def _must_be_apart(oracle: Oracle, a: int, b: int, rows: set[int]) -> bool:
    person_a, person_b = oracle.person(a), oracle.person(b)
    if person_a is not None and person_b is not None:
        return person_a != person_b
    return any(
        kind in (2, 3) and ((x in group_a and y in group_b) or (y in group_a and x in group_b))
        for _, kind, x, y in oracle.accepted
        for group_a, group_b in [(oracle.component(a), oracle.component(b))]
    )
