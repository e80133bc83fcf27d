"""Merges that a photo or a person forbids, by looking at all pairs of people."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mining.strategies.blocked_merges import BlockedMerges
from mining.strategies.pool import Pool
from tests.mining.small_pool import make_pool, random_pool
from tests.mining.test_rare_identities import likeness, sides_of, spoken


def crowded(seed: int) -> Pool:
    """Few photos, and people who are much alike."""
    pool = spoken(random_pool(seed, people=4), seed)
    rng = np.random.default_rng(seed)
    n = len(pool.identity)
    return replace(pool, photo_ids=rng.integers(0, n, n), groups=np.arange(n), threshold=0.2)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["any", "photo", "decision"]))
def test_all_that_is_blocked_and_reaches_the_threshold_is_asked_about(seed: int, by: str) -> None:
    pool = crowded(seed)
    sides = sides_of(pool)
    expected = {}
    for a, b in itertools.combinations(sides, 2):
        within = [set(sides[a].tolist()), set(sides[b].tolist())]

        def across(x: int, y: int, within: list[set[int]] = within) -> bool:
            return (x in within[0] and y in within[1]) or (x in within[1] and y in within[0])

        apart = [{x, y} for x, y in pool.apart.tolist() if across(x, y)]
        ruled = [x for x, who in pool.rejected if (x in within[0] and who == b) or (x in within[1] and who == a)]
        said = len(apart) + len(ruled)
        photos = set(pool.photo_ids[sides[a]]) & set(pool.photo_ids[sides[b]])
        blocks = {"any": said or photos, "photo": photos, "decision": said}[by]
        if not blocks or said > 1 or any(across(x, y) for x, y in pool.together.tolist()):
            continue
        if likeness(pool, sides[a], sides[b]) >= pool.threshold:
            expected[frozenset((a, b))] = (apart, ruled, photos)
    mined = BlockedMerges(by=by).mine(pool, budget=1000).questions
    parties = pool.parties()
    found = {frozenset(parties[[face - 1 for face in one.faces]].tolist()): one for one in mined}
    assert set(found) <= set(expected) and len(found) == len(mined)
    for pair, (apart, ruled, _) in expected.items():
        told = bool(apart or ruled) and by != "photo"
        spoken_of = set().union(*apart, ruled) if told else set()
        if pair not in found:  # nothing but what was told apart could be shown
            assert told and any(set(sides[one].tolist()) <= spoken_of or ruled for one in pair)
            continue
        question = found[pair]
        rows = [face - 1 for face in question.faces]
        assert not set(rows) & spoken_of
        assert question.evidence["blocked_by"] == ("decision" if told else "photo")
        few, many = (sides[int(parties[row])] for row in rows)
        assert question.settles == len(few) <= len(many)
        assert question.evidence["means"] == pytest.approx(likeness(pool, few, many), abs=1e-3)
        assert question.value == pytest.approx(len(few) * question.evidence["same"], abs=1e-3 * len(few))
        if not told:
            x, y = (face - 1 for face in question.evidence["block"])
            assert pool.photo_ids[x] == pool.photo_ids[y] == question.evidence["photo"]
            assert {int(parties[x]), int(parties[y])} == set(pair)


def test_it_says_what_blocks_and_asks_a_second_opinion_only_once() -> None:
    a, b, c = np.eye(3)
    vectors = np.array([a, a + 0.1 * b, a - 0.1 * b, a, a + 0.1 * c, c])
    pool = make_pool(vectors, [1, 1, 1, 2, 2, 3], names={1: "Anna", 2: "Ann"}, apart=np.array([[0, 3]]))
    [question] = BlockedMerges().mine(pool, budget=9).questions
    assert question.faces[0] == 5 and question.faces[1] in (2, 3) and question.reason == "told apart once"
    assert "would join them, but somebody told two of their faces apart." in question.why
    twice = replace(pool, apart=np.array([[0, 3], [1, 4]]))
    assert BlockedMerges().mine(twice, budget=9).questions == ()
    assert BlockedMerges(by="photo").mine(pool, budget=9).questions == ()
    together = replace(pool, apart=np.empty((0, 2), np.int64), photo_ids=np.array([1, 2, 3, 1, 4, 5]))
    [question] = BlockedMerges().mine(together, budget=9).questions
    assert question.evidence["block"] == [1, 4] and question.evidence["photo"] == 1
    assert "but one photo shows both." in question.why and question.reason == "both in one photo"
    assert BlockedMerges(above="0.51").mine(together, budget=9).questions == ()
    assert BlockedMerges().mine(make_pool(np.empty((0, 3)), []), budget=5).questions == ()
