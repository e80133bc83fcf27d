"""Taking many entries back leaves what the ledger would be without them, quarrels over reverts included."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from annotation.ledger.entries import Entry, Kind
from annotation.ledger.replay import replay
from annotation.ledger.taking_back import entries_to_revert
from tests.annotation.ledger.ledgers import random_ledger
from tests.annotation.ledger.oracle import in_force


def without(entries: list[Entry], chosen: set[int]) -> list[Entry]:
    gone = set(chosen)
    for entry in entries:  # a revert of what never was is nothing either
        if entry.reverts in gone:
            gone.add(entry.id)
    return [entry for entry in entries if entry.id not in gone]


def taken_back(entries: list[Entry], chosen: set[int]) -> list[Entry]:
    reverts = {entry.id: entry.reverts for entry in entries if entry.reverts is not None}
    end = entries[-1].id
    more = [Entry(end + n, Kind.REVERT, reverts=id) for n, id in enumerate(entries_to_revert(reverts, chosen), 1)]
    return [*entries, *more]


@given(st.integers(0, 10**6), st.integers(1, 40), st.floats(0, 1))
def test_the_rest_stands_as_if_the_chosen_had_never_been_made(seed: int, length: int, share: float) -> None:
    rng = random.Random(seed)
    entries = random_ledger(rng, length)
    chosen = {entry.id for entry in entries if rng.random() < share}
    after = taken_back(entries, chosen)
    assert in_force(after) == in_force(without(entries, chosen))
    assert replace(replay(after), reverted=frozenset()) == replace(
        replay(without(entries, chosen)), reverted=frozenset()
    )


@given(st.integers(0, 10**6), st.integers(1, 30))
def test_reverting_the_reverts_brings_all_of_it_back(seed: int, length: int) -> None:
    rng = random.Random(seed)
    entries = random_ledger(rng, length)
    chosen = {entry.id for entry in entries if rng.random() < 0.5}
    after = taken_back(entries, chosen)
    again = taken_back(after, {entry.id for entry in after[len(entries) :]})
    assert in_force(again) == in_force(entries)


def test_a_quarrel_over_reverts_ends_with_the_chosen_without_effect() -> None:
    # 1 assigns; 2 takes it back; 3 takes 2 back; 4, somebody else's, takes 3 back; 5 takes 4 back.
    reverts = {2: 1, 3: 2, 4: 3, 5: 4}
    assert entries_to_revert(reverts, {2, 3, 5}) == [5, 2]
    assert entries_to_revert(reverts, {1, 2}) == [1]
    assert entries_to_revert({2: 1}, {1, 2}) == []
