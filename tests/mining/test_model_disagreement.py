"""Two models over the same faces: what just one of them joins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import Conflict
from mining.strategies.model_disagreement import NEIGHBOURS, ModelDisagreement
from mining.strategies.pool import Pool
from mining.strategies.weighing import Parties
from tests.mining.small_pool import make_pool, random_pool, unit
from tests.mining.test_rare_identities import likeness, may_be_one, sides_of, spoken


def seen_twice(seed: int) -> Pool:
    """A pool whose faces a second model, of another dimension, sees a little differently; some it has not seen."""
    pool = spoken(random_pool(seed, people=4), seed)
    rng, n = np.random.default_rng(seed), len(pool.identity)
    pool = replace(pool, groups=np.arange(n), threshold=0.3, model="old")
    turned = pool.vectors @ rng.normal(size=(6, 9)) + rng.normal(size=(n, 9)) * 0.6
    seen = np.flatnonzero(rng.random(n) < 0.9)
    other = replace(pool, vectors=unit(turned), threshold=0.4, model="new").take(seen)
    return replace(pool, other=other)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_asked_is_what_one_model_joins_and_the_other_does_not(seed: int) -> None:
    pool = seen_twice(seed)
    assert pool.other is not None
    own = pool.take(np.searchsorted(pool.face_ids, pool.other.face_ids))
    sides = sides_of(own)
    models = (own, pool.other)
    expected = set()
    for model in models:
        for party, rows in sides.items():
            others = [other for other in sides if other != party]
            others.sort(key=lambda other, rows=rows, model=model: -likeness(model, rows, sides[other]))  # type: ignore[misc]
            for near in others[:NEIGHBOURS]:
                joined = [likeness(one, rows, sides[near]) >= one.threshold for one in models]
                if joined[0] != joined[1] and may_be_one(own, rows, sides[near]):
                    expected.add(frozenset((party, near)))
    mined = ModelDisagreement(least=0).mine(pool, budget=1000).questions
    parties = dict(zip(own.face_ids.tolist(), own.parties().tolist(), strict=True))
    between = [one for one in mined if parties[one.faces[0]] != parties[one.faces[1]]]
    assert {frozenset(parties[face] for face in one.faces) for one in between} == expected
    for question in mined:
        here, there = question.evidence["same"]
        assert question.value == pytest.approx(question.settles * abs(here - there), abs=1e-3 * question.settles)
        assert question.evidence["models"] == ["old", "new"]
        if here != there:  # as they are told, to three digits
            assert question.reason == f"one person to {'old' if here > there else 'new'} only"
        if question not in between:
            halves = [set(side) | {face} for side, face in zip(question.evidence["sides"], question.faces, strict=True)]
            assert not halves[0] & halves[1] and here > 0.5 >= there
            assert len({parties[face] for half in halves for face in half}) == 1


def test_the_probabilities_are_those_of_either_model() -> None:
    pool = seen_twice(3)
    assert pool.other is not None
    own = pool.take(np.searchsorted(pool.face_ids, pool.other.face_ids))
    parties = [Parties(own), Parties(pool.other)]
    place = dict(zip(own.face_ids.tolist(), parties[0].of.tolist(), strict=True))
    mined = ModelDisagreement(least=0).mine(pool, budget=1000).questions
    assert mined
    for question in mined:
        pair = np.array([[place[face] for face in question.faces]])
        if pair[0, 0] != pair[0, 1]:
            alike = [one.alike(pair)[0] for one in parties]
            assert (alike[0] >= own.threshold) != (alike[1] >= pool.other.threshold)
    few = ModelDisagreement(least=0.6).mine(pool, budget=1000).questions
    gaps = [abs(np.subtract(*one.evidence["same"])) for one in mined]
    assert len(few) == sum(gap >= 0.6 for gap in gaps)


def test_two_people_under_one_name_whom_only_the_other_model_tells_apart() -> None:
    rng = np.random.default_rng(1)
    blurred = np.eye(6)[[0] * 8 + [1] * 5 + [2] * 5] + rng.normal(size=(18, 6)) * 0.1
    sharp = np.eye(6)[[0] * 4 + [3] * 4 + [1] * 5 + [2] * 5] + rng.normal(size=(18, 6)) * 0.1
    pool = make_pool(blurred, [1] * 8 + [2] * 5 + [3] * 5, names={1: "Anna"}, model="sface@v1")
    pool = replace(pool, other=replace(pool, vectors=unit(sharp), model="sface@v2"))
    [question] = ModelDisagreement().mine(pool, budget=9).questions
    assert question.settles == 4 and question.identities == (1,)
    assert {face <= 4 for face in question.faces} == {True, False}
    assert question.why.startswith("4 and 4 faces of Anna: one person with ") and "to sface@v2." in question.why
    assert question.reason == "one person to sface@v1 only"
    told = replace(pool, apart=np.array([[0, 5]]))
    assert ModelDisagreement().mine(told, budget=9).questions == ()


def test_one_model_alone_is_refused() -> None:
    pool = replace(seen_twice(1), other=None)
    with pytest.raises(Conflict) as refused:
        ModelDisagreement().mine(pool, budget=9)
    assert refused.value.code == "one_model"
