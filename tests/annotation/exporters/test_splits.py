from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exporters.splits import (
    PROPORTIONS,
    SET_ASIDE,
    TRAIN,
    Faces,
    assign,
    default_proportions,
    entangled,
    violations,
)
from foundation.errors import InvalidInput


def faces_of(rows: list[tuple[int, int, str]]) -> Faces:
    identity, group, held_out = zip(*rows, strict=True) if rows else ((), (), ())
    return Faces(np.array(identity, np.int64), np.array(group, np.int64), np.array(held_out, "U16"))


# Pool identities 0..30, held-out ones 100..: a held-out person is not in the pool unless a test says so.
POOL = st.tuples(st.integers(0, 30), st.integers(-1, 8), st.just(""))
HELD = st.integers(100, 110).flatmap(
    lambda person: st.tuples(st.just(person), st.integers(-1, 8), st.just("test" if person % 2 else "val_blackbox"))
)


@given(st.lists(st.one_of(POOL, HELD), max_size=60))
def test_no_identity_and_no_near_duplicates_ever_cross(rows: list[tuple[int, int, str]]) -> None:
    faces = faces_of(rows)
    splits = assign(faces, PROPORTIONS)
    assert violations(faces, splits) == []
    for (_, group, held_out), split in zip(rows, splits.tolist(), strict=True):
        if split == SET_ASIDE:  # only beside a held-out near-duplicate of another split
            assert any(other == group and held and held != held_out for _, other, held in rows)
        elif held_out:
            assert split == held_out


@given(st.lists(POOL, max_size=40), st.lists(POOL.map(lambda row: (row[0] + 50, -1, "")), max_size=20))
def test_more_people_move_nobody(before: list[tuple[int, int, str]], more: list[tuple[int, int, str]]) -> None:
    first = assign(faces_of(before), PROPORTIONS)
    second = assign(faces_of(before + more), PROPORTIONS)
    assert second[: len(before)].tolist() == first.tolist()


def test_proportions_hold_over_many_people() -> None:
    faces = faces_of([(person, -1, "") for person in range(20_000)])
    splits = assign(faces, PROPORTIONS)
    for split, share in PROPORTIONS.items():
        assert np.mean(splits == split) == pytest.approx(share, abs=0.01)


def test_held_out_splits_take_nobody_from_the_pool() -> None:
    faces = faces_of([(person, -1, "") for person in range(2000)])
    splits = assign(faces, default_proportions({"test", "val_blackbox"}))
    assert set(splits.tolist()) == {TRAIN, "val_eyeball"}


def test_a_person_in_the_pool_and_held_out_is_a_violation_with_a_name() -> None:
    faces = faces_of([(7, -1, ""), (7, -1, "test")])
    (sentence,) = violations(faces, assign(faces, default_proportions({"test"})), names={7: "Anna"})
    assert sentence.startswith("Identity 7 (Anna) would be in test and ") or "and test" in sentence


def test_the_check_is_independent_of_the_assignment() -> None:
    faces = faces_of([(1, 5, ""), (2, 5, "")])
    assert violations(faces, np.array(["train", "test"])) == ["Near-duplicate group 5 would be in test and train."]
    assert violations(faces, np.array(["train", SET_ASIDE])) == []


@pytest.mark.parametrize("wrong", [{"test": 1.5}, {"test": 0.6, "val_eyeball": 0.6}, {"holdout": 0.1}, {"test": -0.1}])
def test_wrong_proportions_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        assign(faces_of([]), wrong)


def test_people_who_are_always_seen_together_go_to_train() -> None:
    # Seven people, tied by near-duplicate photos, and one who is not; then many more come.
    few = [(person, 1, "") for person in range(1, 8)] + [(8, -1, "")]
    faces = faces_of(few)
    assert entangled(faces) == set(range(1, 8))
    assert set(assign(faces, PROPORTIONS, always_train=entangled(faces))[:7]) == {TRAIN}
    many = faces_of([*few, *[(person, -1, "") for person in range(10, 200)]])
    assert entangled(many) == set()
    assert set(assign(many, PROPORTIONS, always_train=range(1, 8))[:7]) == {TRAIN}
