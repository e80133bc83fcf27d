"""Strategies against brute force, and what their base class sees to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from mining.strategies import STRATEGIES, find_strategy
from mining.strategies.label_suspects import LabelSuspects, weigh
from mining.strategies.pairs_near_threshold import PairsNearThreshold
from mining.strategies.persons import hearts
from mining.strategies.pool import Pool


def unit(vectors: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def make_pool(vectors: np.ndarray[Any, Any], identity: list[int], **columns: Any) -> Pool:
    n = len(vectors)
    values: dict[str, Any] = {
        "photo_ids": np.arange(n, dtype=np.int64) + 1000,
        "groups": np.arange(n, dtype=np.int64) + 1000,
        "human": np.zeros(n, np.bool_),
        "names": {},
        "threshold": 0.5,
        "band": 0.5,
    }
    return Pool(
        face_ids=np.arange(1, n + 1, dtype=np.int64),
        vectors=unit(np.asarray(vectors, np.float64)),
        identity=np.array(identity, np.int64),
        **{**values, **columns},
    )


def random_pool(seed: int, people: int = 5) -> Pool:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    identity = rng.integers(-1, people, n)
    centres = rng.normal(size=(people + 1, 6))
    vectors = centres[identity] + rng.normal(size=(n, 6)) * 0.8
    return make_pool(
        vectors,
        identity.tolist(),
        groups=rng.integers(0, n, n),
        photo_ids=rng.integers(0, 3 * n, n),
        human=rng.random(n) < 0.3,
    )


def medoid_of(pool: Pool, rows: np.ndarray[Any, Any], skip: int | None = None) -> int:
    """The row most similar to the centroid of all; with `skip`, the best of the others."""
    found = hearts(pool.vectors[rows], np.zeros(len(rows), np.int64))
    medoid, second = rows[found.medoid[0]], rows[found.second[0]]
    return int(second if medoid == skip else medoid)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_medoids_are_the_rows_nearest_to_the_centroid(seed: int) -> None:
    pool = random_pool(seed)
    found = hearts(pool.vectors, pool.identity)
    for at, person in enumerate(found.persons):
        rows = np.flatnonzero(pool.identity == person)
        centre = pool.vectors[rows].sum(axis=0)
        like = pool.vectors[rows] @ (centre / np.linalg.norm(centre))
        assert found.sizes[at] == len(rows)
        assert {found.medoid[at], found.second[at]} <= set(rows)
        assert like[rows == found.medoid[at]][0] >= like.max() - 2e-5
        if len(rows) > 1:
            assert found.second[at] != found.medoid[at]
            assert like[rows == found.second[at]][0] >= np.sort(like)[-2] - 2e-5


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_suspects_are_the_labels_that_the_evidence_is_against(seed: int) -> None:
    pool = random_pool(seed)
    pool = replace(pool, groups=np.arange(len(pool.face_ids)))
    labelled = np.flatnonzero(pool.identity >= 0)
    found = weigh(pool, labelled)
    mined = LabelSuspects().mine(pool, budget=1000).questions
    values = [question.value for question in mined]
    assert values == sorted(values, reverse=True)
    asked = {question.faces[0] - 1: question for question in mined}
    against = labelled[(found.score > 0) & (found.rival >= 0)]
    assert set(asked) <= set(against)
    for row in against:
        at = int(np.searchsorted(labelled, row))
        rival = np.flatnonzero(pool.identity == found.rival[at])
        pair = (medoid_of(pool, rival) + 1, int(row) + 1)
        if row in asked:
            question = asked[row]
            assert question.value == pytest.approx(found.score[at], rel=1e-5)
            assert question.identities == (pool.identity[row], found.rival[at])
            assert question.faces == pair[::-1]
        else:  # two people of one face each: the other one asks
            assert asked[pair[0] - 1].faces == pair and len(rival) == 1


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_pairs_agree_with_brute_force(seed: int) -> None:
    pool = random_pool(seed, people=4)
    pool = replace(pool, identity=np.maximum(pool.identity, 0), groups=np.arange(len(pool.face_ids)))
    people = np.unique(pool.identity).tolist()
    centres = {person: pool.vectors[pool.identity == person].sum(axis=0) for person in people}
    expected = set()
    for a in people:
        for b in [other for other in people if other > a]:
            rows = [np.flatnonzero(pool.identity == person) for person in (a, b)]
            alike = centres[a] @ centres[b] / np.linalg.norm(centres[a]) / np.linalg.norm(centres[b])
            shared = set(pool.photo_ids[rows[0]]) & set(pool.photo_ids[rows[1]])
            confirmed = all(pool.human[side].any() for side in rows)
            if alike > pool.threshold - pool.band + 1e-6 and not shared and (alike >= pool.threshold or not confirmed):
                expected.add((a, b))
    mined = PairsNearThreshold().mine(pool, budget=1000)
    assert {tuple(sorted(question.identities)) for question in mined.questions} == expected
    for question in mined.questions:
        sizes = [int((pool.identity == person).sum()) for person in question.identities]
        assert question.settles == min(sizes) == sizes[0]
        assert list(question.faces) == [
            int(pool.face_ids[medoid_of(pool, np.flatnonzero(pool.identity == person))])
            for person in question.identities
        ]


def three_people() -> Pool:
    """Anna: three alike and one that is Bob's; Bob: three; a lone face near Anna."""
    a, b, c = np.eye(3)
    vectors = [a, a + 0.1 * c, a - 0.1 * c, b + 0.02 * a, b, b + 0.1 * c, b - 0.1 * c, 0.6 * a + 0.8 * c]
    return make_pool(np.array(vectors), [1, 1, 1, 1, 2, 2, 2, -1], names={1: "Anna", 2: "Bob"})


def test_a_suspect_says_why() -> None:
    [question] = LabelSuspects().mine(three_people(), budget=10).questions
    assert question.faces == (4, 5) and question.identities == (1, 2) and question.settles == 1
    assert question.why == "1.00 to the faces of Bob, 0.02 to its own, Anna."
    assert question.evidence["to_other"] == pytest.approx(1, abs=1e-3)


def test_a_suspect_alone_a_copy_and_one_like_nobody_say_so() -> None:
    a, b, c = np.eye(3)
    pool = make_pool(np.array([a, a, b, b, a, c]), [1, 1, 2, 2, 3, 2], names={1: "Anna", 2: "Bob", 3: "Ann"})
    alone, stray = sorted(LabelSuspects().mine(pool, budget=10).questions, key=lambda question: question.faces)
    assert alone.why == "1.00 to the faces of Anna; the only face of Ann."
    assert alone.evidence["to_own"] is None and not alone.evidence["nobody_here"]
    assert stray.why == "Like nobody here: 0.00 to the faces of Ann, 0.00 to its own, Bob."
    groups = np.array([0, 1, 2, 3, 1, 5])
    copied = LabelSuspects().mine(replace(pool, groups=groups), budget=1).questions[0]
    assert copied.why == "1.00 to a near-duplicate, Anna; the only face of Ann." and copied.faces == (5, 2)
    assert copied.evidence["copy"] and copied.value > alone.value


def test_two_people_of_one_face_each_are_one_question() -> None:
    pool = make_pool(np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]]), [1, 2, 3])
    [question] = LabelSuspects().mine(pool, budget=10).questions
    assert question.faces == (1, 2)
    told_apart = replace(pool, apart=np.array([[0, 1]]))
    assert LabelSuspects().mine(told_apart, budget=10).questions == ()


def test_a_pair_says_why_and_lone_faces_take_part() -> None:
    [question] = PairsNearThreshold().mine(replace(three_people(), band=0.15), budget=10).questions
    assert question.faces == (8, 1) and question.identities == (1,) and question.settles == 1
    assert question.why.startswith("0.57 between nobody's face (1) and Anna (4); 0.50 would join them.")


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_people_have_settled_or_been_asked_is_not_asked_again(name: str) -> None:
    strategy, pool = find_strategy(name), replace(three_people(), band=0.15)
    [question] = strategy.mine(pool, budget=10).questions
    asked = replace(pool, asked=frozenset({question.faces}))
    assert strategy.mine(asked, budget=10).questions == ()
    subject = question.faces[0] - 1
    ruled_out = replace(pool, rejected=frozenset({(subject, 2), (subject, 1)}))
    assert strategy.mine(ruled_out, budget=10).questions == ()


def test_apart_people_share_a_photo_or_were_told_apart() -> None:
    pool = replace(three_people(), band=0.15)
    assert PairsNearThreshold().mine(replace(pool, apart=np.array([[7, 1]])), budget=9).questions == ()
    photo_ids = pool.photo_ids.copy()
    photo_ids[7] = photo_ids[2]
    assert PairsNearThreshold().mine(replace(pool, photo_ids=photo_ids), budget=9).questions == ()


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_base_checks_cuts_and_drops_near_duplicates(name: str) -> None:
    strategy = find_strategy(name)
    assert strategy.name == name and strategy.title
    for seed in range(30):
        pool = random_pool(seed)
        everything = strategy.mine(pool, budget=1000)
        groups = dict(zip(pool.face_ids.tolist(), pool.groups.tolist(), strict=True))
        parties = dict(zip(pool.face_ids.tolist(), pool.parties().tolist(), strict=True))
        alike = [(*(groups[f] for f in q.faces), *(parties[f] for f in q.faces)) for q in everything.questions]
        assert len(set(alike)) == len(alike)
        assert strategy.mine(pool, budget=2).questions == everything.questions[:2]
        report = everything.report
        assert report["picked"] == len(everything.questions) <= report["candidates"]
        assert sum(report["histogram"].get("counts", [])) == report["considered"]
    with pytest.raises(InvalidInput, match="negative"):
        strategy.mine(pool, budget=-1)
    with pytest.raises(InvalidInput, match="one value per face"):
        strategy.mine(replace(pool, groups=pool.groups[:-1]), budget=1)
    with pytest.raises(InvalidInput, match="rise"):
        strategy.mine(replace(pool, face_ids=pool.face_ids[::-1].copy()), budget=1)


@pytest.mark.parametrize("name", STRATEGIES)
def test_an_empty_pool_asks_nothing(name: str) -> None:
    pool = make_pool(np.ones((1, 3)), [-1])
    columns = ("face_ids", "photo_ids", "groups", "vectors", "identity", "human")
    empty = replace(pool, **{column: getattr(pool, column)[:0] for column in columns})
    assert find_strategy(name).mine(empty, budget=5).questions == ()


def test_unknown_strategies_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        find_strategy("clairvoyance")
    assert refused.value.code == "unknown_strategy"


def test_the_second_of_a_lone_person_is_itself() -> None:
    found = hearts(unit(np.eye(3)), np.array([7, 9, 9]))
    assert found.persons.tolist() == [7, 9] and found.medoid[0] == found.second[0] == 0
    assert {found.medoid[1], found.second[1]} == {1, 2}
