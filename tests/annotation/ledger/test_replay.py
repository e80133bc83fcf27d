"""The replay against a naive reading of the same rules, over thousands of random ledgers."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.ledger.entries import Entry, Kind
from annotation.ledger.replay import replay
from annotation.ledger.state import State
from foundation.errors import InvalidInput
from tests.annotation.ledger.ledgers import random_ledger
from tests.annotation.ledger.oracle import Oracle, consistent

seeds = st.integers(0, 2**32)
lengths = st.integers(1, 24)


def without_history(state: State) -> State:
    return replace(state, reverted=frozenset())


@settings(max_examples=2000, deadline=None)
@given(seeds, lengths)
def test_agrees_with_the_naive_reading(seed: int, length: int) -> None:
    entries = random_ledger(random.Random(seed), length)
    state, oracle = replay(entries), Oracle(entries)
    assert state.set_aside == oracle.aside
    assert state.identity_of == {f: p for f in oracle.faces if (p := oracle.person(f)) is not None}
    assert state.must == {(a, b): entry for entry, kind, a, b in oracle.accepted if kind == 1}
    assert state.cannot == {(a, b): entry for entry, kind, a, b in oracle.accepted if kind == 3}
    assert {(c.dropped, c.faces) for c in state.conflicts if c.clash == "answer"} == oracle.dropped
    for face in oracle.faces:
        rejected = set(state.rejected.get(face, {}))
        assert {-b for _, kind, a, b in oracle.accepted if kind == 2 and a == face} <= rejected
        assert rejected <= oracle.excluded(face)
        if face not in state.identity_of and face not in oracle.aside:
            assert rejected == oracle.excluded(face)


@settings(max_examples=2000, deadline=None)
@given(seeds, lengths)
def test_reverting_an_entry_restores_the_state_without_it(seed: int, length: int) -> None:
    rng = random.Random(seed)
    entries = random_ledger(rng, length)
    # The last statement about an entry may be a revert of it; take back one that nothing refers to.
    referred = {entry.reverts for entry in entries}
    victim = rng.choice([entry for entry in entries if entry.id not in referred])
    undone = [*entries, Entry(entries[-1].id + 1, Kind.REVERT, reverts=victim.id)]
    redone = [*undone, Entry(undone[-1].id + 1, Kind.REVERT, reverts=undone[-1].id)]
    assert without_history(replay(undone)) == without_history(replay([e for e in entries if e is not victim]))
    assert without_history(replay(redone)) == without_history(replay(entries))


@settings(max_examples=300, deadline=None)
@given(seeds, lengths)
def test_every_conflict_names_a_later_or_equal_entry_in_force(seed: int, length: int) -> None:
    entries = random_ledger(random.Random(seed), length)
    state, oracle = replay(entries), Oracle(entries)
    in_force = {entry.id for entry in entries} - state.reverted
    for conflict in state.conflicts:
        assert {conflict.dropped, *conflict.because} <= in_force
        assert conflict.because and min(conflict.because) >= conflict.dropped
        if conflict.clash == "answer":  # and these alone, with what else the same entries say, can't all hold
            told = [c for c in oracle.claims if c[0] in conflict.because]
            lost = [c for c in oracle.claims if c[0] == conflict.dropped]
            assert not consistent(told + lost)


def entry(number: int, kind: Kind, **fields: object) -> Entry:
    return Entry(number, kind, **fields)  # type: ignore[arg-type]


def test_a_later_assignment_beats_an_earlier_one_without_conflict() -> None:
    state = replay(
        [entry(1, Kind.ASSIGN, faces=(1, 2), identity=1), entry(2, Kind.ASSIGN, faces=(2,), identity=2)],
    )
    assert state.identity_of == {1: 1, 2: 2}
    assert state.decided_by == {1: 1, 2: 2}
    assert state.conflicts == ()


def test_rejecting_clears_the_label_and_keeps_the_faces_beside_it_apart() -> None:
    state = replay(
        [
            entry(1, Kind.ASSIGN, faces=(1, 2), identity=1),
            entry(2, Kind.REJECT, faces=(1,), others=(2, 3), identity=1),
        ]
    )
    assert state.identity_of == {2: 1}
    assert state.rejected == {1: {1: 2}}
    assert state.cannot == {(1, 2): 2, (1, 3): 2}


def test_same_hands_the_person_on_and_reports_two_persons() -> None:
    entries = [entry(1, Kind.ASSIGN, faces=(1,), identity=1), entry(2, Kind.SAME, faces=(1,), others=(2,))]
    assert replay(entries).identity_of == {1: 1, 2: 1}
    entries.append(entry(3, Kind.ASSIGN, faces=(2,), identity=2))
    state = replay(entries)
    # The newest two hold, and a face tied to the second person is no longer the first.
    assert state.identity_of == {1: 2, 2: 2}
    assert [(c.dropped, c.because, c.faces) for c in state.conflicts] == [(1, (2, 3), (1,))]


def test_merge_is_an_alias_that_a_revert_takes_back() -> None:
    entries = [
        entry(1, Kind.ASSIGN, faces=(1,), identity=1),
        entry(2, Kind.RENAME, identity=1, text="Anna"),
        entry(3, Kind.MERGE, identity=1, into=2, faces=(3,), others=(4,)),
    ]
    merged = replay(entries)
    assert merged.identity_of == {1: 2, 3: 2, 4: 2}
    assert merged.names == {2: "Anna"}
    split_up = replay([*entries, entry(4, Kind.REVERT, reverts=3)])
    assert split_up.identity_of == {1: 1}
    assert split_up.names == {1: "Anna"}


def test_merging_persons_against_a_rejection_is_reported() -> None:
    state = replay(
        [
            entry(1, Kind.ASSIGN, faces=(1,), identity=2),
            entry(2, Kind.REJECT, faces=(1,), identity=1),
            entry(3, Kind.MERGE, identity=1, into=2),
        ]
    )
    assert state.identity_of == {}
    assert [(c.dropped, c.because, c.clash) for c in state.conflicts] == [(1, (2,), "merge")]


def test_split_moves_faces_and_leaves_the_rest() -> None:
    state = replay(
        [
            entry(1, Kind.ASSIGN, faces=(1, 2, 3), identity=1),
            entry(2, Kind.SPLIT, faces=(3,), others=(1,), identity=1, into=2),
        ]
    )
    assert state.identity_of == {1: 1, 2: 1, 3: 2}
    assert state.rejected == {3: {1: 2}}
    assert state.cannot == {(1, 3): 2}


def test_tags_names_and_set_aside() -> None:
    state = replay(
        [
            entry(1, Kind.TAG, identity=1, text="family"),
            entry(2, Kind.TAG, faces=(7,), text="blurred"),
            entry(3, Kind.IGNORE, faces=(7,)),
            entry(4, Kind.NOT_A_FACE, faces=(8,)),
            entry(5, Kind.ASSIGN, faces=(7,), identity=1),
        ]
    )
    assert state.identity_tags == {1: ("family",)}
    assert state.face_tags == {7: ("blurred",)}
    assert state.set_aside == {8: Kind.NOT_A_FACE}
    assert state.decided_by == {7: 5, 8: 4}


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        (Kind.ASSIGN, {"faces": (1,)}, "missing_field"),
        (Kind.ASSIGN, {"faces": (1,), "identity": 1, "text": "x"}, "unexpected_field"),
        (Kind.SAME, {"faces": (1, 2), "others": (3,)}, "one_face_expected"),
        (Kind.SAME, {"faces": (1,), "others": (1,)}, "face_on_both_sides"),
        (Kind.MERGE, {"identity": 1, "into": 1}, "same_identity"),
        (Kind.TAG, {"text": "x"}, "missing_field"),
        (Kind.REVERT, {}, "missing_field"),
    ],
)
def test_malformed_entries_are_refused(kind: Kind, fields: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Entry(1, kind, **fields)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_a_ledger_out_of_order_is_refused() -> None:
    with pytest.raises(InvalidInput, match="rise"):
        replay([entry(2, Kind.IGNORE, faces=(1,)), entry(1, Kind.IGNORE, faces=(1,))])
    with pytest.raises(InvalidInput, match="no earlier"):
        replay([entry(1, Kind.REVERT, reverts=1)])


def test_time_grows_linearly() -> None:
    def seconds(n: int) -> float:
        entries = [
            entry(k, Kind.ASSIGN, faces=tuple(range(k * 10, k * 10 + 10)), identity=k % 50 + 1) for k in range(1, n)
        ]
        entries += [entry(n + k, Kind.SAME, faces=(k * 10,), others=(k * 10 + 500,)) for k in range(1, n)]
        entries += [entry(3 * n + k, Kind.DIFFERENT, faces=(k * 10,), others=(k * 10 + 10,)) for k in range(1, n)]
        start = time.perf_counter()
        replay(entries)
        return time.perf_counter() - start

    assert min(seconds(8000) for _ in range(3)) < 24 * max(min(seconds(1000) for _ in range(3)), 1e-3)
