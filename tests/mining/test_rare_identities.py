"""People of few faces are asked about with the nearest whom nothing rules out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from mining.strategies.pool import Pool
from mining.strategies.rare_identities import RareIdentities
from tests.mining.small_pool import make_pool, random_pool


def spoken(pool: Pool, seed: int) -> Pool:
    """The pool with some statements of people in it."""
    rng, n = np.random.default_rng(seed), len(pool.face_ids)
    pairs = rng.integers(0, n, (2, 4, 2))
    rejected = {(int(rng.integers(n)), int(rng.integers(5))) for _ in range(3)}
    return replace(pool, apart=pairs[0], together=pairs[1], rejected=rejected)


def sides_of(pool: Pool) -> dict[int, np.ndarray[Any, Any]]:
    """{party: its rows}."""
    parties = pool.parties()
    return {int(party): np.flatnonzero(parties == party) for party in np.unique(parties)}


def may_be_one(pool: Pool, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Whether nobody has spoken on these two sides and no photo shows both."""
    if set(pool.photo_ids[a]) & set(pool.photo_ids[b]):
        return False
    between = [{int(x), int(y)} for pairs in (pool.apart, pool.together) for x, y in pairs]
    if any({x, y} in between for x in a.tolist() for y in b.tolist()):
        return False
    people = [set(pool.identity[side].tolist()) for side in (a, b)]
    return not any((row in a and who in people[1]) or (row in b and who in people[0]) for row, who in pool.rejected)


def likeness(pool: Pool, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    """Cosine similarity of the means."""
    means = [pool.vectors[side].astype(np.float64).mean(axis=0) for side in (a, b)]
    return float(means[0] @ means[1] / np.linalg.norm(means[0]) / np.linalg.norm(means[1]))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 3))
def test_each_rare_person_meets_the_nearest(seed: int, most: int, candidates: int) -> None:
    pool = spoken(random_pool(seed), seed)
    sides = sides_of(pool)
    expected = set()
    for party, rows in sides.items():
        if party < 0 or not 1 <= len(rows) <= most:
            continue
        others = sorted((other for other in sides if other != party), key=lambda o: -likeness(pool, rows, sides[o]))
        free = [other for other in others[:8] if may_be_one(pool, rows, sides[other])]
        expected |= {frozenset((party, other)) for other in free[:candidates]}
    mined = RareIdentities(faces=(1, most), candidates=candidates).mine(pool, budget=1000)
    parties = pool.parties()
    found = {}
    for question in mined.questions:
        rows = [face - 1 for face in question.faces]
        found[frozenset(parties[rows].tolist())] = question
        few, many = (sides[int(parties[row])] for row in rows)
        assert question.settles == len(few) <= len(many)
        assert 0 <= question.value <= question.settles
        assert question.value == pytest.approx(len(few) * question.evidence["same"], abs=1e-3 * len(few))
        assert question.evidence["means"] == pytest.approx(likeness(pool, few, many), abs=1e-3)
    near_copies = len(mined.questions) + mined.report["duplicates"] == len(expected)
    assert set(found) <= expected and (set(found) == expected or near_copies)


def test_it_says_why_and_looks_beyond_the_threshold() -> None:
    a, b, c = np.eye(3)
    vectors = np.array([a, a, a, a, 0.3 * a + b, c, c, c, c])
    pool = make_pool(vectors, [1, 1, 1, 1, 2, 3, 3, 3, 3], names={1: "Anna", 2: "Bo"})
    [question] = RareIdentities().mine(pool, budget=10).questions
    assert question.faces == (5, 1) and question.identities == (2, 1) and question.settles == 1
    assert question.why.startswith("0.29 between Bo (1) and Anna (4), of the nearest; 0.50 would join them.")
    assert question.reason == "nearest is somebody"
    assert RareIdentities(faces="2..3").mine(pool, budget=10).questions == ()
    two = RareIdentities(candidates=2).mine(pool, budget=10)
    assert len(two.questions) == 2 and two.report["reasons"] == {"nearest is somebody": 2}


def test_its_options_are_checked() -> None:
    with pytest.raises(InvalidInput, match=r"option faces of rare_identities: the range 3\.\.1"):
        RareIdentities(faces=[3, 1])
    empty = make_pool(np.empty((0, 3)), [])
    assert RareIdentities().mine(empty, budget=5).questions == ()
