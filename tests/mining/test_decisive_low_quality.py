"""Poor faces that decide a join, by joining with and without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mining.strategies.decisive_low_quality import HOLD, NEIGHBOURS, ONLY, PART, DecisiveLowQuality
from mining.strategies.pool import Pool
from tests.mining.small_pool import make_pool, random_pool
from tests.mining.test_rare_identities import likeness, may_be_one, sides_of, spoken


def mixed_quality(seed: int) -> Pool:
    pool = spoken(random_pool(seed, people=4), seed)
    rng, n = np.random.default_rng(seed), len(pool.identity)
    return replace(pool, quality=rng.random(n).astype(np.float32), groups=np.arange(n), threshold=0.3, band=0.2)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.1, 0.25, 0.6]))
def test_asked_is_where_poor_faces_change_the_outcome(seed: int, share: float) -> None:
    pool = mixed_quality(seed)
    assert pool.quality is not None
    poor = pool.quality <= np.quantile(pool.quality, share)
    sides = sides_of(pool)
    expected = {}
    for party, rows in sides.items():
        if not poor[rows].any():
            continue
        others = sorted((other for other in sides if other != party), key=lambda o: -likeness(pool, rows, sides[o]))
        for other in others[:NEIGHBOURS]:
            if not may_be_one(pool, rows, sides[other]):
                continue
            alike = likeness(pool, rows, sides[other])
            clear = [side[~poor[side]] for side in (rows, sides[other])]
            if not all(map(len, clear)):
                if abs(alike - pool.threshold) <= pool.band:
                    expected[frozenset((party, other))] = ONLY
            elif (likeness(pool, *clear) >= pool.threshold) != (alike >= pool.threshold):
                expected[frozenset((party, other))] = HOLD if alike >= pool.threshold else PART
    mined = DecisiveLowQuality(share=share).mine(pool, budget=1000).questions
    parties = pool.parties()
    found = {}
    for question in mined:
        rows = np.array(question.faces) - 1
        found[frozenset(parties[rows].tolist())] = question.reason
        assert poor[rows].any()
        few, many = (sides[int(parties[row])] for row in rows)
        assert question.settles == len(few) <= len(many)
        assert question.value == pytest.approx(len(few) * question.evidence["same"], abs=1e-3 * len(few))
        assert question.evidence["quality"] == pytest.approx(pool.quality[rows].tolist(), abs=1e-3)
    assert found == expected


def test_it_shows_the_poor_face_that_weighs_most() -> None:
    a, b, c = np.eye(3)
    clear = [a, a + 0.1 * c, a - 0.1 * c, b, b + 0.1 * c, b - 0.1 * c]
    pool = make_pool(
        np.array([*clear, a + b, 2 * a + b]),
        [1, 1, 1, 2, 2, 2, 2, 2],
        names={1: "Anna", 2: "Bo"},
        quality=np.array([0.9] * 6 + [0.1, 0.1], np.float32),
        threshold=0.3,
        band=0.2,
    )
    [question] = DecisiveLowQuality().mine(pool, budget=9).questions
    assert question.faces[1] == 8 and question.faces[0] in (1, 2, 3) and question.reason == HOLD
    assert "between Anna (3) and Bo (5), 0.00 without poor faces; 0.30 would join them." in question.why
    assert DecisiveLowQuality().mine(replace(pool, quality=None), budget=9).questions == ()
    assert DecisiveLowQuality().mine(make_pool(np.empty((0, 3)), [], quality=np.empty(0)), budget=9).questions == ()
