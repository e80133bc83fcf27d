from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering import Clash, Constraints, resolve
from foundation.errors import InvalidInput
from tests.annotation.clustering.made_up_faces import constraints_for


def constraints(
    n: int,
    identity: dict[int, int] | None = None,
    must: list[tuple[int, int]] | None = None,
    cannot: list[tuple[int, int]] | None = None,
) -> Constraints:
    named = np.full(n, -1, np.int64)
    for face, value in (identity or {}).items():
        named[face] = value
    arrays = (np.array(pairs or [], np.int64).reshape(-1, 2) for pairs in (must, cannot))
    return Constraints(named, np.full(n, -1, np.int64), *arrays)


def test_identities_and_must_pairs_make_components() -> None:
    resolution = resolve(constraints(6, {1: 7, 4: 7}, must=[(4, 5), (0, 2)]))
    assert resolution.component.tolist() == [0, 1, 0, 2, 1, 1]
    assert resolution.identity.tolist() == [-1, 7, -1, -1, 7, 7]
    assert resolution.clashes == ()


def test_an_identity_beats_a_must_pair() -> None:
    resolution = resolve(constraints(4, {0: 1, 1: 2}, must=[(0, 2), (2, 1)]))
    assert resolution.component.tolist() == [0, 1, 1, 2]
    assert resolution.clashes == (Clash("must_across_identities", dropped=(0, 2), kept=(0, 1)),)


def test_a_cannot_pair_beats_must_pairs_and_later_ones_beat_earlier_ones() -> None:
    resolution = resolve(constraints(4, must=[(0, 1), (1, 2)], cannot=[(2, 0)]))
    assert resolution.component.tolist() == [0, 1, 1, 2]
    assert resolution.cannot.tolist() == [[0, 2]]
    assert resolution.clashes == (Clash("must_against_cannot", dropped=(0, 1), kept=(2, 0)),)


def test_an_identity_beats_a_cannot_pair() -> None:
    resolution = resolve(constraints(3, {0: 5, 2: 5}, cannot=[(2, 0), (0, 1)]))
    assert resolution.component.tolist() == [0, 1, 0]
    assert resolution.cannot.tolist() == [[0, 1]]
    assert resolution.clashes == (Clash("cannot_within_identity", dropped=(2, 0), kept=(2, 0)),)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 9).flatmap(constraints_for))
def test_every_decision_holds_or_is_reported_and_nothing_else_is_linked(given_: Constraints) -> None:
    resolution = resolve(given_)
    component = resolution.component
    dropped = [clash.dropped for clash in resolution.clashes]
    for a, b in given_.must.tolist():
        assert (component[a] == component[b]) or (a, b) in dropped
    for a, b in given_.cannot.tolist():
        assert (component[a] != component[b]) or (a, b) in dropped
    for a, b in resolution.cannot.tolist():
        assert component[a] != component[b]
    for a, b in itertools.combinations(range(len(given_)), 2):
        if min(given_.identity[a], given_.identity[b]) >= 0:
            assert (component[a] == component[b]) == (given_.identity[a] == given_.identity[b])
    for clash in resolution.clashes:
        a, b = clash.dropped
        assert (component[a] == component[b]) == (clash.kind == "cannot_within_identity")
        c, d = clash.kept
        assert (component[c] == component[d]) == (clash.kind == "cannot_within_identity")


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 8).flatmap(constraints_for))
def test_components_are_the_closure_of_what_was_accepted(given_: Constraints) -> None:
    resolution = resolve(given_)
    dropped = {clash.dropped for clash in resolution.clashes}
    label = list(range(len(given_)))
    links = [tuple(pair) for pair in given_.must.tolist() if tuple(pair) not in dropped]
    for a, b in itertools.combinations(range(len(given_)), 2):
        if given_.identity[a] >= 0 and given_.identity[a] == given_.identity[b]:
            links.append((a, b))
    for _ in label:
        for a, b in links:
            label[a] = label[b] = min(label[a], label[b])
    assert [label.index(value) for value in label] == [
        resolution.component.tolist().index(value) for value in resolution.component.tolist()
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"must": np.array([[0, 3]])}, "outside"),
        ({"cannot": np.array([[1, 1]])}, "itself"),
        ({"must": np.zeros((1, 3), np.int64)}, "shape"),
        ({"photo": np.zeros(2, np.int64)}, "shape"),
        ({"identity": np.full(3, -2)}, "-1 or more"),
        ({"identity": np.zeros(3, np.int32)}, "int64"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, np.ndarray], message: str) -> None:
    good = Constraints.none(3)
    arrays = {name: getattr(good, name) for name in ("identity", "photo", "must", "cannot")}
    with pytest.raises(InvalidInput, match=message):
        resolve(Constraints(**(arrays | changes)))
