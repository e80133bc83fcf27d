"""The widest pair of each cluster, by comparing all faces with all."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mining.strategies.pool import Pool
from mining.strategies.widest_pairs import WidestPairs
from tests.mining.small_pool import make_pool, random_pool
from tests.mining.test_rare_identities import spoken


def clustered(seed: int) -> Pool:
    """Clusters that mostly follow the labels, some of two people, some faces in none."""
    pool = spoken(random_pool(seed, people=4), seed)
    rng = np.random.default_rng(seed)
    cluster = np.where(rng.random(len(pool.identity)) < 0.8, pool.identity // 2, rng.integers(-1, 3))
    return replace(pool, cluster=cluster, rejected=set(), groups=np.arange(len(pool.identity)))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 4))
def test_each_cluster_shows_the_two_faces_that_are_least_alike(seed: int, fewest: int) -> None:
    pool = clustered(seed)
    assert pool.cluster is not None
    told = {frozenset(pair) for pair in [*pool.apart.tolist(), *pool.together.tolist()]}
    expected = {}
    for key in {*zip(pool.cluster.tolist(), pool.identity.tolist(), strict=True)}:
        rows = np.flatnonzero((pool.cluster == key[0]) & (pool.identity == key[1])).tolist()
        if min(key) < 0 or len(rows) < fewest:
            continue
        alike = {pair: float(pool.vectors[pair[0]] @ pool.vectors[pair[1]]) for pair in itertools.combinations(rows, 2)}
        pair = min(alike, key=lambda pair: (round(alike[pair], 5), pair))
        if frozenset(pair) not in told and not pool.human[list(pair)].all():
            expected[frozenset(pair)] = (rows, alike[pair])
    mined = WidestPairs(faces=(fewest, 99)).mine(pool, budget=1000).questions
    assert {frozenset(face - 1 for face in question.faces) for question in mined} == set(expected)
    for question in mined:
        first, second = (face - 1 for face in question.faces)
        rows, alike = expected[frozenset((first, second))]
        to_first, to_second = (pool.vectors[rows] @ pool.vectors[end] for end in (first, second))
        nearer = np.flatnonzero(to_first > to_second)
        assert question.evidence["widest_similarity"] == pytest.approx(alike, abs=1e-4)
        assert abs(question.settles - len(nearer)) <= 1 and 1 <= question.settles <= len(rows) / 2
        assert question.value == pytest.approx(question.settles * question.evidence["two_people"], abs=1e-3 * len(rows))
        assert question.identities == (pool.identity[first],)
        beside = question.evidence["sides"]
        assert not set(beside[0]) & set(beside[1]) and not set(question.faces) & {*beside[0], *beside[1]}


def test_it_says_why_and_who_would_leave() -> None:
    a, b, c = np.eye(3)
    vectors = [a, a + 0.2 * c, a - 0.2 * c, a + 0.1 * c, b, b + 0.1 * c, c, c + 0.1 * a, c - 0.1 * a]
    pool = make_pool(
        np.array(vectors), [1, 1, 1, 1, 1, 1, 2, 2, 2], names={1: "Anna"}, cluster=np.array([5] * 6 + [6] * 3)
    )
    mixed, pure = WidestPairs().mine(pool, budget=10).questions
    assert mixed.settles == 2 and mixed.faces[0] in (5, 6) and mixed.faces[1] in (1, 2, 3, 4)
    assert mixed.evidence["two_people"] > 0.9 > 0.5 > pure.evidence["two_people"]
    assert mixed.why.startswith("0.0") or mixed.why.startswith("-0.0")
    assert "between the two least alike of 6 faces of Anna: 2 are nearer to the first." in mixed.why
    [large] = WidestPairs(faces=(4, 9)).mine(pool, budget=10).questions
    [alike] = WidestPairs(similarity=(0.5, 1)).mine(pool, budget=10).questions
    assert (large.faces, alike.faces) == (mixed.faces, pure.faces)
    assert WidestPairs().mine(replace(pool, cluster=None), budget=10).questions == ()
