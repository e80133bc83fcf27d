"""Known answers pass for real questions: as hard, worded alike, at any place; and are right."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mining.known import Asked, mix_in, told
from mining.known.plain_words import how_alike
from mining.known.scoring import claimed, is_right
from mining.strategies import find_strategy
from mining.strategies.base import Question
from mining.strategies.pool import Pool
from tests.mining.made_pool import made_pool

PEOPLE, FACES, DIMENSION = 12, 10, 32


def make_pool(seed: int = 0, *, human: bool = True) -> Pool:
    """People whose faces scatter widely, so that pairs of one person and of two overlap in similarity."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1, (PEOPLE, DIMENSION)) + 0.6
    vectors = np.repeat(centres, FACES, axis=0) + rng.normal(0, 1.1, (PEOPLE * FACES, DIMENSION))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    n = len(vectors)
    return Pool(
        face_ids=np.arange(100, 100 + 2 * n, 2),
        photo_ids=np.arange(n),
        groups=np.arange(n),
        vectors=vectors,
        identity=np.repeat(np.arange(7, 7 + PEOPLE), FACES),
        human=np.full(n, human),
        names={7: "Ada", 9: "Bo"},
        threshold=0.95,
        band=0.05,
        strangers=0.2,
        apart=np.empty((0, 2), np.int64),
        rejected=set(),
        asked=set(),
        together=np.empty((0, 2), np.int64),
        quality=None,
        hashes={},
        owner=None,
    )


def pairs(pool: Pool, count: int = 60, seed: int = 1) -> list[Question]:
    """Questions as `pairs_near_threshold` asks them, in the middle of the range of similarities."""
    rng = np.random.default_rng(seed)
    found: list[Question] = []
    while len(found) < count:
        a, b = rng.choice(len(pool.face_ids), 2, replace=False)
        if 0.2 <= float(pool.vectors[a] @ pool.vectors[b]) <= 0.6:
            faces = (int(pool.face_ids[a]), int(pool.face_ids[b]))
            people = (int(pool.identity[a]), int(pool.identity[b]))
            found.append(Question(faces, people, 9.0 - len(found) / 10, 1 + len(found) % 5, f"why {len(found)}", {}))
    return found


def suspects(pool: Pool, count: int = 40, *, several: bool = True) -> list[Question]:
    rng = np.random.default_rng(2)
    found = []
    for n in range(count):
        row, other = rng.choice(len(pool.face_ids), 2, replace=False)
        shown = (int(pool.identity[other]), int(pool.identity[row]))[:: 1 if n % 2 else -1][: 2 if several else 1]
        if len(set(shown)) == len(shown):
            faces = (int(pool.face_ids[row]), int(pool.face_ids[other]))
            found.append(Question(faces, shown, 5.0 - n / 10, 1, f"why {n}", {"copy": False}))
    return found


def mixed(pool: Pool, questions: list[Question], asks: str, share: float = 0.1, seed: int = 3) -> list[Asked]:
    return mix_in(pool, questions, asks=asks, share=share, rng=np.random.default_rng(seed))


def alike(pool: Pool, question: Question) -> float:
    a, b = np.searchsorted(pool.face_ids, question.faces[:2])
    return float(pool.vectors[a] @ pool.vectors[b])


@given(st.integers(0, 10**6), st.sampled_from([0.05, 0.1, 0.15]))
@settings(max_examples=15, deadline=None)
def test_known_pairs_are_right_as_hard_and_not_the_real_ones(seed: int, share: float) -> None:
    pool = make_pool(seed % 5)
    real = pairs(pool)
    found = mixed(pool, real, "pair", share, seed)
    known = [one for one in found if one.gold]
    exact = len(real) * share / (1 - share)
    assert int(exact) <= len(known) <= int(exact) + 1
    assert [one.question.faces for one in found if not one.gold] == [question.faces for question in real]
    person = dict(zip(pool.face_ids.tolist(), pool.identity.tolist(), strict=True))
    low, high = min(alike(pool, q) for q in real), max(alike(pool, q) for q in real)
    for one in known:
        a, b = one.question.faces
        assert one.gold == ("same" if person[a] == person[b] else "different")
        assert low - 1e-5 <= alike(pool, one.question) <= high + 1e-5
        left, right = one.question.evidence["sides"]
        assert {person[face] for face in left} <= {person[a]} and {person[face] for face in right} <= {person[b]}
        assert not {a, b} & {*left, *right} and not set(left) & set(right)
    values = [one.question.value for one in found]
    assert values == sorted(values, reverse=True) and len(set(values)) == len(values)


@pytest.mark.parametrize("asks", ["pair", "suspect"])
def test_words_and_figures_do_not_tell_which_are_known(asks: str) -> None:
    pool = make_pool()
    real = pairs(pool) if asks == "pair" else suspects(pool)
    found = mixed(pool, real, asks, 0.15)
    known = [one.question for one in found if one.gold]
    assert known
    said = {gold: {one.question.why for one in found if bool(one.gold) == gold} for gold in (True, False)}
    assert said[True] <= said[False] and not re.search(r"\d", "".join(said[True]))
    assert {question.settles for question in known} <= {question.settles for question in real}
    both = {one.gold for seed in range(8) for one in mixed(pool, real, asks, 0.15, seed) if one.gold}
    assert both == ({"same", "different"} if asks == "pair" else {"left", "right"})
    assert {len(question.identities) for question in known} == ({0} if asks == "pair" else {2})
    assert all(one.question.evidence["why"].startswith("why") for one in found if not one.gold)


@pytest.mark.parametrize(("several", "answers"), [(True, {"left", "right"}), (False, {"left", "neither"})])
def test_known_suspects_are_right(several: bool, answers: set[str]) -> None:
    pool = make_pool()
    asked = suspects(pool, several=several)
    known = [one for seed in range(8) for one in mixed(pool, asked, "suspect", 0.15, seed) if one.gold]
    person = dict(zip(pool.face_ids.tolist(), pool.identity.tolist(), strict=True))
    assert {one.gold for one in known} == answers
    for one in known:
        shown = dict(zip(one.question.identities, ("left", "right"), strict=False))
        assert shown.get(person[one.question.faces[0]], "neither") == one.gold
        assert person[one.question.faces[1]] == one.question.identities[-1]
        assert one.question.faces[0] != one.question.faces[1]


def test_places_depend_on_the_seed_and_on_nothing_else() -> None:
    pool = make_pool()
    real = pairs(pool)

    def places(seed: int) -> list[int]:
        return [at for at, one in enumerate(mixed(pool, real, "pair", 0.15, seed)) if one.gold]

    assert places(5) == places(5)
    assert places(5) != places(6)
    everywhere = [place / (len(real) + 10) for seed in range(20) for place in places(seed)]
    assert 0.4 < float(np.mean(everywhere)) < 0.6


def test_where_nothing_was_confirmed_the_questions_stay_as_they_are() -> None:
    pool = make_pool(human=False)
    for asks, real in (("pair", pairs(pool)), ("suspect", suspects(pool))):
        found = mixed(pool, real, asks)
        assert [one.question.faces for one in found] == [question.faces for question in real]
        assert not any(one.gold for one in found)
    assert mixed(make_pool(), [], "pair") == []


def test_known_grids_are_of_one_decided_person_but_for_an_intruder_and_show_no_face_twice() -> None:
    pool = made_pool(7)
    real = find_strategy("clusters").mine(pool, budget=150).questions
    known = [one for one in mixed(pool, list(real), "cluster", 0.15) if one.gold]
    person = dict(zip(pool.face_ids.tolist(), pool.identity.tolist(), strict=True))
    human = dict(zip(pool.face_ids.tolist(), pool.human.tolist(), strict=True))
    shown: set[int] = set()
    for one in known:
        said = one.question.evidence
        faces = [face for face, _, _ in said["grid"]]
        similarity = [like for _, like, _ in said["grid"]]
        assert all(human[face] for face in faces) and shown.isdisjoint(faces) and len(faces) == len(set(faces))
        shown.update(faces)
        assert similarity == sorted(similarity) and faces[-1] == said["medoid"] == one.question.faces[0]
        assert {face for face in faces if person[face] != one.question.identities[0]} == set(said["out"])
        assert (one.gold, len(said["out"])) in {("same", 0), ("different", 1)}
        assert not any(ticked for face, _, ticked in said["grid"] if face in said["out"])
        assert one.question.settles == said["faces"] - said["confirmed"] == len(faces) - said["confirmed"]
        assert all(proposal["face"] not in faces for proposal in said["proposals"])
    assert {one.gold for one in known} == {"same", "different"}


def test_known_rows_are_two_parts_of_one_decided_person_or_two_of_them() -> None:
    pool = made_pool(8)
    real = find_strategy("merges").mine(pool, budget=150).questions
    known = [one for one in mixed(pool, list(real), "merge", 0.15) if one.gold]
    person = dict(zip(pool.face_ids.tolist(), pool.identity.tolist(), strict=True))
    shown: set[int] = set()
    for one in known:
        first, second = one.question.evidence["sides"]
        assert shown.isdisjoint(first + second) and not set(first) & set(second) and min(len(first), len(second)) >= 3
        shown.update(first + second)
        assert [{person[face] for face in side} for side in (first, second)] == [
            {one.question.identities[at]} for at in (0, 1)
        ]
        assert (one.gold == "same") == (len(set(one.question.identities)) == 1)
        assert one.question.faces[0] in first and one.question.faces[1] in second
    assert {one.gold for one in known} == {"same", "different"}


@pytest.mark.parametrize("strategy", ["clusters", "merges", "label_suspects"])
def test_where_people_decided_too_little_the_report_says_so(strategy: str) -> None:
    pool = made_pool(9, decided=0.02)
    chosen = find_strategy(strategy)
    questions = chosen.mine(pool, budget=150).questions
    asked = mixed(pool, list(questions), chosen.asks, 0.15)
    report = told(questions, asked, 0.15)["known"]
    assert report["hidden"] == sum(bool(one.gold) for one in asked) < report["wanted"]
    assert "too few" in report["short"]
    assert told(questions, asked, 0.0) == {}


OUT = {"out": [5], "widest": [5, 6], "person": 1}


@pytest.mark.parametrize(
    ("gold", "answer", "payload", "right", "claim"),
    [
        ("different", "same", {"rejected": [5]}, True, "different"),
        ("different", "same", {"split": [[5]]}, True, "different"),
        ("different", "different", {}, True, "different"),
        ("different", "same", {}, False, "same"),
        ("different", "same", {"rejected": [5, 6]}, False, "different"),
        ("different", "same", {"rejected": [5], "into": 2}, False, "different"),
        ("same", "same", {}, True, "same"),
        ("same", "same", {"into": 1}, True, "same"),
        ("same", "same", {"into": 2}, False, "same"),
        ("same", "same", {"ignored": [6]}, False, "different"),
        ("same", "different", {}, False, "different"),
    ],
)
def test_answers_about_known_grids_are_scored_by_the_faces_that_leave(
    gold: str, answer: str, payload: dict[str, Any], right: bool, claim: str
) -> None:
    evidence = OUT if gold == "different" else {**OUT, "out": []}
    assert is_right("cluster", gold, evidence, answer, payload) is right
    assert claimed("cluster", answer, payload) == claim


def test_no_known_pair_was_asked_before() -> None:
    pool = make_pool()
    real = pairs(pool)
    first = {one.question.faces for one in mixed(pool, real, "pair", 0.15) if one.gold}
    pool.asked.update(first)  # type: ignore[attr-defined]
    again = {one.question.faces for one in mixed(pool, real, "pair", 0.15) if one.gold}
    assert first and again and not first & again


@pytest.mark.parametrize("asks", ["pair", "suspect"])
def test_without_known_answers_questions_are_worded_the_same(asks: str) -> None:
    pool = make_pool()
    real = pairs(pool) if asks == "pair" else suspects(pool)
    plain, among_known = mixed(pool, real, asks, 0.0), mixed(pool, real, asks, 0.15)
    assert [one.question.why for one in plain] == [one.question.why for one in among_known if not one.gold]
    assert mix_in(pool, [], asks=asks, share=0.15, rng=np.random.default_rng(1)) == []


def test_words_follow_how_alike_faces_are() -> None:
    pool = make_pool()
    said = [how_alike(pool, pool.threshold + by) for by in (0.1, -0.5 * pool.band, -2 * pool.band)]
    assert [one.split(",")[0] for one in said] == [
        "look enough alike to be one person",
        "look almost alike enough to be one person",
        "don't look much alike",
    ]
