"""Strategies against brute force, and what their base class sees to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering import ImpostorModel, Thresholds, worthwhile_questions
from foundation.errors import InvalidInput
from mining.strategies import STRATEGIES, find_strategy
from mining.strategies.base import Asks, Question
from mining.strategies.copies_under_two_names import CopiesUnderTwoNames
from mining.strategies.label_suspects import LabelSuspects, weigh
from mining.strategies.merges import Merges
from mining.strategies.mixed_people import MixedPeople
from mining.strategies.one_person_two_names import OnePersonTwoNames
from mining.strategies.pairs_near_threshold import PairsNearThreshold
from mining.strategies.persons import hearts
from mining.strategies.pool import Pool
from mining.strategies.profile_leftovers import ProfileLeftovers
from tests.mining.small_pool import make_pool, random_pool, unit


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


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_pairs_are_what_clustering_finds_worthwhile_and_nobody_has_settled(seed: int) -> None:
    pool = random_pool(seed, people=4)
    pool = replace(pool, identity=np.maximum(pool.identity, 0), groups=np.arange(len(pool.face_ids)))
    thresholds = Thresholds(1 - pool.threshold, pool.threshold, pool.strangers)
    spread = (pool.threshold - pool.strangers) / 4
    few = ImpostorModel(np.ones(1), np.array([pool.strangers]), np.array([spread]))
    found = worthwhile_questions(pool.vectors, pool.identity, thresholds, pool.apart, tied=pool.tied, impostors=few)
    expected: list[tuple[int, ...]] = []
    for at in range(len(found)):
        a, b = found.clusters[at].tolist()
        rows = [np.flatnonzero(pool.identity == person) for person in (a, b)]
        shared = set(pool.photo_ids[rows[0]]) & set(pool.photo_ids[rows[1]])
        confirmed = all(pool.human[side].any() for side in rows)
        if a != b and not shared and (found.similarity[at] >= pool.threshold or not confirmed):
            expected.append((a, b))
        if a == b:
            assert not pool.human[found.faces[at]].all()
            expected.append((a,))
    mined = PairsNearThreshold().mine(pool, budget=1000)
    assert sorted(question.identities for question in mined.questions) == sorted(expected)
    of_one = [question for question in mined.questions if len(question.identities) == 1]
    for question in of_one:
        person = set(pool.face_ids[pool.identity == question.identities[0]].tolist())
        halves = [{face, *beside} for face, beside in zip(question.faces, question.evidence["sides"], strict=True)]
        assert halves[0].isdisjoint(halves[1]) and halves[0] | halves[1] <= person
        assert 1 <= question.settles <= len(person) // 2 and 0 < question.value <= 2 * question.settles * (1 + 1e-6)
    for question in mined.questions:
        if question in of_one:
            continue
        sizes = [int((pool.identity == person).sum()) for person in question.identities]
        assert question.settles == min(sizes) == sizes[0]
        assert 0 < question.value <= 2 / (1 / sizes[0] + 1 / sizes[1]) * (1 + 1e-6)
        assert list(question.faces) == [
            int(pool.face_ids[medoid_of(pool, np.flatnonzero(pool.identity == person))])
            for person in question.identities
        ]
        sides = [pool.vectors[pool.identity == person] for person in question.identities]
        assert question.evidence["least_alike"] == pytest.approx(float((sides[0] @ sides[1].T).min()), abs=1e-4)


def three_people() -> Pool:
    """Anna: three alike and one that is Bob's; Bob: three; a lone face near Anna."""
    a, b, c = np.eye(3)
    vectors = [a, a + 0.1 * c, a - 0.1 * c, b + 0.02 * a, b, b + 0.1 * c, b - 0.1 * c, 0.6 * a + 0.8 * c]
    return make_pool(np.array(vectors), [1, 1, 1, 1, 2, 2, 2, -1], names={1: "Anna", 2: "Bob"})


def stranger(questions: Sequence[Question]) -> Question:
    """The question about the face that nobody has."""
    [found] = [question for question in questions if 8 in question.faces]
    return found


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
    mined = PairsNearThreshold().mine(replace(three_people(), band=0.15), budget=10).questions
    one, question = next(one for one in mined if len(one.identities) == 1 and one.faces[0] == 4), stranger(mined)
    assert one.faces[0] == 4 and one.why.startswith("0.02 between 1 and 3 faces of Anna.")
    assert one.why.endswith(f" {1 - one.evidence['same']:.0%} likely to be two people.") and "halves" in one.evidence
    assert question.faces == (8, 1) and question.identities == (1,) and question.settles == 1
    assert question.why.startswith("0.57 between nobody's face (1) and Anna (4); 0.50 would join them.")
    assert question.why.endswith(
        f" {question.evidence['same']:.0%} likely to be one person; their two least alike faces have 0.01."
    )
    alone = make_pool(np.array([[1, 0, 0], [0.55, 0.8, 0]]), [-1, -1])
    [question] = PairsNearThreshold().mine(alone, budget=10).questions
    assert question.why.endswith("likely to be one person.")


def test_of_the_typical_faces_the_clear_one_is_asked_about() -> None:
    pool = replace(three_people(), quality=np.array([0.2, 0.9, 0.2, 0.1, 0.5, 0.5, 0.5, 0.5], np.float32))
    assert stranger(PairsNearThreshold().mine(pool, budget=10).questions).faces == (8, 2)


def mixed() -> Pool:
    """Anna has four of her own and two of Cid's faces; Bob has three."""
    a, b, c, d = np.eye(4)
    anna, bob, cid = ([one, one + 0.1 * d, one - 0.1 * d] for one in (a, b, c))
    vectors = [*anna, a + 0.05 * d, *cid[:2], *bob]
    return make_pool(np.array(vectors), [1] * 6 + [2] * 3, names={1: "Anna", 2: "Bob"})


def copied() -> Pool:
    """Bob has a copy of the second of Anna's photos."""
    a, b, c = np.eye(3)
    vectors = np.array([a, a + 0.1 * c, b, b + 0.1 * c, a + 0.1 * c + 0.01 * b])
    groups, hashes = np.array([0, 1, 2, 3, 1]), {1001: 7, 1004: -9}
    return make_pool(vectors, [1, 1, 2, 2, 2], names={1: "Anna", 2: "Bob"}, groups=groups, hashes=hashes)


def profile() -> Pool:
    """Of three faces that were set aside from Anna's profile the last one is unlike her."""
    a, b, c = np.eye(3)
    vectors = np.array([a, a + 0.1 * c, b, a + 0.5 * b, 0.9 * a + b, b])
    owner = np.array([-1, -1, -1, 1, 1, 1])
    return make_pool(vectors, [1, 1, 2, -1, -1, -1], names={1: "Anna", 2: "Bob"}, owner=owner, band=0.15)


def two_names() -> Pool:
    """Anna and Ann, confirmed and less alike than clusters have to be; Bob and twenty others."""
    rng = np.random.default_rng(6)
    centres = rng.normal(size=(22, 64))
    identity = np.repeat(np.arange(1, 24), [4, 3, *[4] * 21])
    faces = centres[np.maximum(identity - 2, 0)] + 0.6 * rng.normal(size=(len(identity), 64))
    human = np.zeros(len(identity), np.bool_)
    human[[0, 4, 8, 12]] = True
    return make_pool(faces, identity.tolist(), names={1: "Anna", 2: "Ann"}, human=human, threshold=0.99)


def seen_by_two(pool: Pool) -> Pool:
    """To the other model all faces are the same."""
    return replace(pool, other=replace(pool, vectors=unit(np.ones((len(pool.vectors), 3)))))


def ready(name: str, pool: Pool) -> Pool:
    """The pool with what the strategy needs."""
    return seen_by_two(pool) if name == "model_disagreement" else pool


WORTH_ONE = {
    "one_person_two_names": two_names,
    "pairs_near_threshold": lambda: make_pool(np.array([[1, 0, 0], [0.55, 0.8, 0]]), [1, 2]),
    "label_suspects": three_people,
    "mixed_people": mixed,
    "copies_under_two_names": copied,
    "profile_leftovers": lambda: replace(profile(), owner=np.array([-1, -1, -1, 1, -2, 1])),
    "clusters": lambda: make_pool(np.array([[1, 0.1, 0], [1, 0, 0]]), [1, 1], cluster=np.array([5, 5])),
    "merges": two_names,
    "widest_pairs": lambda: make_pool(np.array([[1, 0.1, 0], [1, 0, 0]]), [1, 1], cluster=np.array([5, 5])),
    "blocked_merges": lambda: make_pool(np.array([[1, 0.1, 0], [1, 0, 0]]), [1, 2], photo_ids=np.array([7, 7])),
    "model_disagreement": lambda: seen_by_two(make_pool(np.array([[1, 0, 0], [0.3, 0.8, 0]]), [1, 2])),
    "decisive_low_quality": lambda: make_pool(
        np.array([[1, 0, 0], [0.6, 0.8, 0]]), [1, 2], quality=np.array([0.1, 0.9], np.float32)
    ),
    "rare_identities": lambda: make_pool(np.array([[1, 0, 0], [0.1, 0.8, 0]]), [1, 2]),
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_people_have_settled_or_been_asked_is_not_asked_again(name: str) -> None:
    strategy, pool = find_strategy(name), WORTH_ONE[name]()
    [question] = strategy.mine(pool, budget=10).questions
    asked = replace(pool, asked=frozenset({question.faces}))
    assert strategy.mine(asked, budget=10).questions == ()
    subject, other = (face - 1 for face in question.faces)
    told_apart = replace(pool, apart=np.array([[other, subject]]))
    assert question.faces not in {one.faces for one in strategy.mine(told_apart, budget=10).questions}
    if name != "mixed_people":
        ruled_out = replace(pool, rejected=frozenset({(subject, 2), (subject, 1)}))
        assert strategy.mine(ruled_out, budget=10).questions == ()


def test_two_people_under_one_name_are_asked_about_by_their_hearts() -> None:
    pool = mixed()
    [question] = MixedPeople().mine(pool, budget=10).questions
    assert question.faces[0] in (5, 6) and question.faces[1] in (1, 4) and question.identities == (1,)
    assert question.settles == 2 and 0 < question.value <= 2
    assert question.why.startswith("0.00 between 2 and 4 faces of Anna; one person would have ")
    few, many = question.evidence["sides"]
    assert set(few) | {question.faces[0]} == {5, 6} and set(many) | {question.faces[1]} == {1, 2, 3, 4}
    tied = replace(pool, together=np.array([[5, 2]]))
    assert MixedPeople().mine(tied, budget=10).questions == ()
    human = np.zeros(9, np.bool_)
    human[0] = True
    assert len(MixedPeople().mine(replace(pool, human=human), budget=10).questions) == 1
    human[5] = True
    assert MixedPeople().mine(replace(pool, human=human), budget=10).questions == ()


def test_two_confirmed_names_of_one_person_are_asked_about() -> None:
    pool = two_names()
    [question] = OnePersonTwoNames().mine(pool, budget=10).questions
    assert question.identities == (2, 1) and question.settles == 3 and 2 < question.value <= 3
    assert "between Ann (3) and Anna (4), both confirmed; one person would have 0." in question.why
    assert question.evidence["strangers"] < 0.3 < question.evidence["one_person"]
    human = pool.human.copy()
    human[4] = False
    assert OnePersonTwoNames().mine(replace(pool, human=human), budget=10).questions == ()
    assert OnePersonTwoNames().mine(replace(pool, threshold=0.5), budget=10).questions == ()
    photo_ids = pool.photo_ids.copy()
    photo_ids[5] = photo_ids[1]
    assert OnePersonTwoNames().mine(replace(pool, photo_ids=photo_ids), budget=10).questions == ()
    assert OnePersonTwoNames().mine(replace(pool, apart=np.array([[1, 5]])), budget=10).questions == ()


def test_one_stray_face_beside_several_is_left_to_the_suspects() -> None:
    a, b, c = np.eye(3)
    pool = make_pool(np.array([a, a + 0.1 * c, b, c, c + 0.1 * a]), [1, 1, 1, 2, 2])
    assert MixedPeople().mine(pool, budget=10).questions == ()
    pair = make_pool(np.array([a, b, c, c + 0.1 * a]), [1, 1, 2, 2], names={1: "Anna"})
    [question] = MixedPeople().mine(pair, budget=10).questions
    assert set(question.faces) == {1, 2} and question.why.startswith("0.00 between the two faces of Anna; ")


def test_a_copy_under_two_names_is_asked_about_at_the_name_that_it_fits_less() -> None:
    pool = copied()
    [question] = CopiesUnderTwoNames().mine(pool, budget=10).questions
    assert question.faces == (5, 2) and question.identities == (2, 1) and question.evidence["copy"]
    bits = ((7 ^ -9) & (2**64 - 1)).bit_count()
    apart = f"{bits} of 64 bits apart: Bob in one, Anna in the other."
    assert question.why == f"1.00 alike in near-duplicate photos {apart}"
    assert "bits" not in CopiesUnderTwoNames().mine(replace(pool, hashes={}), budget=1).questions[0].why
    one_photo = replace(pool, photo_ids=np.array([0, 1, 2, 3, 1]))
    assert CopiesUnderTwoNames().mine(one_photo, budget=10).questions == ()
    unlike = replace(pool, groups=np.array([0, 1, 1, 3, 4]))
    mined = CopiesUnderTwoNames().mine(unlike, budget=10)
    assert mined.questions == () and mined.report["considered"] == 1


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_copies_agree_with_brute_force(seed: int) -> None:
    pool = replace(random_pool(seed), threshold=0.2)
    expected: dict[tuple[int, int], float] = {}
    for row in np.flatnonzero(pool.identity >= 0).tolist():
        others = (pool.groups == pool.groups[row]) & (pool.photo_ids != pool.photo_ids[row])
        others &= (pool.identity >= 0) & (pool.identity != pool.identity[row])
        alike = np.where(others, pool.vectors @ pool.vectors[row], -2)
        if others.any() and alike.max() >= pool.threshold + 1e-5:
            best = int(alike.argmax())
            expected[min(row, best), max(row, best)] = float(alike.max())
    found = CopiesUnderTwoNames().find(pool, lambda done, total: None)
    rows = [tuple(sorted(pair)) for pair in found.rows.tolist()]
    assert len(set(rows)) == len(rows) and set(expected) <= set(rows)
    for pair, value in zip(rows, found.value, strict=True):
        if pair in expected:
            assert value == pytest.approx((expected[pair] - 0.2) / 0.8, abs=1e-4)
        else:
            assert value < 1e-4


def test_leftovers_like_the_owner_are_asked_and_nobody_else_sees_them() -> None:
    pool = profile()
    first, second = ProfileLeftovers().mine(pool, budget=10).questions
    assert first.faces == (4, 1) and first.identities == (1,) and first.value == 1
    assert first.why == "Set aside, but 0.89 to the 2 faces of Anna, whose profile it is; 0.50 would join them."
    assert second.faces[0] == 5 and second.value == pytest.approx(1)
    seen = pool.without_leftovers
    assert seen.face_ids.tolist() == [1, 2, 3] and seen.owner is None and seen.without_leftovers is seen
    assert all(question.faces[0] < 4 for name in STRATEGIES for question in others(name, pool))
    with_owner_there = replace(pool, photo_ids=np.array([1, 2, 3, 2, 5, 6]))
    assert [q.faces[0] for q in ProfileLeftovers().mine(with_owner_there, budget=10).questions] == [5]


def others(name: str, pool: Pool) -> tuple[Question, ...]:
    return () if name == "profile_leftovers" else find_strategy(name).mine(ready(name, pool), budget=10).questions


def test_a_pool_without_leftovers_keeps_what_people_said_about_the_rest() -> None:
    pool = replace(
        profile(),
        owner=np.array([-1, 1, -1, -1, -2, -1]),
        apart=np.array([[0, 1], [2, 3]]),
        together=np.array([[3, 5], [4, 5]]),
        rejected=frozenset({(1, 2), (5, 1)}),
        quality=np.arange(6, dtype=np.float32),
    )
    seen = pool.without_leftovers
    assert seen.face_ids.tolist() == [1, 3, 4, 6] and seen.quality is not None
    assert seen.quality.tolist() == [0, 2, 3, 5]
    assert seen.apart.tolist() == [[1, 2]] and seen.together.tolist() == [[2, 3]]
    assert seen.rejected == {(3, 1)}


def test_apart_people_share_a_photo_or_were_told_apart() -> None:
    pool = replace(three_people(), band=0.15)
    photo_ids = pool.photo_ids.copy()
    photo_ids[7] = photo_ids[2]
    for known in (replace(pool, apart=np.array([[7, 1]])), replace(pool, photo_ids=photo_ids)):
        assert not any(8 in question.faces for question in PairsNearThreshold().mine(known, budget=9).questions)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_base_checks_cuts_and_drops_near_duplicates(name: str) -> None:
    strategy = find_strategy(name)
    assert strategy.name == name and strategy.title and strategy.asks in get_args(Asks)
    for seed in range(30):
        pool = ready(name, random_pool(seed))
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
    assert find_strategy(name).mine(ready(name, empty), budget=5).questions == ()


def test_unknown_strategies_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        find_strategy("clairvoyance")
    assert refused.value.code == "unknown_strategy"


def test_the_second_of_a_lone_person_is_itself() -> None:
    found = hearts(unit(np.eye(3)), np.array([7, 9, 9]))
    assert found.persons.tolist() == [7, 9] and found.medoid[0] == found.second[0] == 0
    assert {found.medoid[1], found.second[1]} == {1, 2}


def test_people_of_several_faces_are_asked_about_as_merges() -> None:
    pool = two_names()
    [question] = Merges().mine(pool, budget=9).questions
    assert set(question.identities) == {1, 2}
    assert question.faces == OnePersonTwoNames().mine(pool, budget=9).questions[0].faces
    assert all(len(set(one.identities)) == 2 for one in Merges().mine(three_people(), budget=9).questions)
