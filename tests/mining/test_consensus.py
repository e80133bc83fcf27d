"""Kappa against scikit-learn and Fleiss' own example; weighed votes against counting and against simulated people."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from foundation.errors import InvalidInput
from mining.consensus.agreement import cohen_kappa, fleiss_kappa
from mining.consensus.dawid_skene import weigh_votes
from mining.consensus.marks import marks_of, payload_of, weigh_marks
from mining.consensus.votes import Votes


def votes_of(table: list[list[int]], answers: int) -> Votes:
    """From one row per question with each person's answer, -1 for none."""
    found = np.array(table, np.int64)
    items, people = np.nonzero(found >= 0)
    return Votes(items, people, found[items, people], *found.shape, answers)


def simulate(rng: np.random.Generator, n: int, rates: list[tuple[float, float]]) -> tuple[Votes, np.ndarray]:
    """People who say 1 of a true 0, and 0 of a true 1, at these rates."""
    truth = rng.integers(0, 2, n)
    wrong = np.stack([np.where(truth == 0, rng.random(n) < a, rng.random(n) < b) for a, b in rates], axis=1)
    return votes_of((truth[:, None] ^ wrong).tolist(), 2), truth


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_cohen_is_as_in_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    ours = cohen_kappa(first, second)
    if len(np.unique(np.concatenate([first, second]))) == 1:
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(cohen_kappa_score(first, second))


def test_fleiss_is_as_in_his_example_of_thirty_raters() -> None:
    # The worked example that textbooks give: 10 subjects, 14 raters, 5 categories, kappa 0.210.
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    table = [[answer for answer, count in enumerate(row) for _ in range(count)] for row in counts]
    assert fleiss_kappa(votes_of(table, 5)) == pytest.approx(0.210, abs=5e-4)


def test_without_two_votes_on_a_question_there_is_no_agreement_to_speak_of() -> None:
    assert math.isnan(fleiss_kappa(votes_of([[0, -1], [-1, 1]], 2)))
    assert math.isnan(cohen_kappa(np.empty(0, np.int64), np.empty(0, np.int64)))


def test_error_rates_are_found_without_a_known_answer() -> None:
    rates = [(0.02, 0.05), (0.14, 0.06), (0.3, 0.2), (0.1, 0.1)]
    votes, truth = simulate(np.random.default_rng(0), 4000, rates)
    found = weigh_votes(votes)
    for person, (a, b) in enumerate(rates):
        assert found.errors[person, 0, 1] == pytest.approx(a, abs=0.03)
        assert found.errors[person, 1, 0] == pytest.approx(b, abs=0.03)
    weighed = np.mean(found.posterior.argmax(axis=1) == truth)
    majority = np.mean((votes.counts()[:, 1] >= 2) == truth)
    assert weighed > majority


def test_known_answers_unmask_a_majority_that_errs_alike() -> None:
    rng = np.random.default_rng(1)
    votes, truth = simulate(rng, 1000, [(0.01, 0.01), (0.45, 0.45), (0.45, 0.45)])
    known = np.where(np.arange(1000) < 100, truth, -1)
    found = weigh_votes(votes, known)
    assert found.accuracy[0] > 0.95 > 0.7 > found.accuracy[1:].max()
    assert np.mean(found.posterior[100:].argmax(axis=1) == truth[100:]) > 0.97
    assert np.array_equal(found.posterior[:100].argmax(axis=1), truth[:100])


@given(st.lists(st.lists(st.integers(-1, 2), min_size=3, max_size=3), min_size=1, max_size=12))
def test_posteriors_follow_from_the_error_rates_by_bayes(table: list[list[int]]) -> None:
    votes = votes_of(table, 3)
    found = weigh_votes(votes)
    assert np.allclose(found.posterior.sum(axis=1), 1)
    assert np.allclose(found.errors.sum(axis=2), 1)
    for item, row in enumerate(table):
        odds = found.prevalence.copy()
        for person, answer in enumerate(row):
            if answer >= 0:
                odds *= found.errors[person, :, answer]
        assert np.allclose(found.posterior[item], odds / odds.sum(), atol=1e-4)


def test_a_person_without_votes_is_believed_and_a_question_without_votes_has_the_prevalence() -> None:
    found = weigh_votes(votes_of([[0, -1], [0, -1], [-1, -1]], 2))
    assert found.errors[1, 0, 0] == pytest.approx(0.9)
    assert np.allclose(found.posterior[2], found.prevalence)


@pytest.mark.parametrize("table", [[[2]], [[0], [5]]])
def test_answers_out_of_range_are_refused(table: list[list[int]]) -> None:
    with pytest.raises(InvalidInput):
        votes_of(table, 2)


def test_two_votes_of_one_person_on_a_question_are_refused() -> None:
    twice = np.zeros(2, np.int64)
    with pytest.raises(InvalidInput):
        Votes(twice, twice, np.array([0, 1]), 1, 1, 2)


def test_marks_on_faces_that_all_agree_on_hold_and_one_of_three_slipped() -> None:
    out, other = {7: "rejected"}, {7: "ignored"}
    assert weigh_marks([out, out]) == (out, 1.0) and weigh_marks([{}, {}]) == ({}, 1.0)
    marks, sure = weigh_marks([out, {}, {}])
    assert marks == {} and sure > 0.99
    assert weigh_marks([out, out, {}])[1] < 0.9 and weigh_marks([out, other, {}])[1] < 0.9
    marks, sure = weigh_marks([out, out, out, out, {}])
    assert marks == out and sure > 0.95
    # The least sure face decides.
    assert weigh_marks([{7: "rejected", 8: "rejected"}, {8: "rejected"}])[1] == weigh_marks([out, {}])[1] <= 0.95


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.integers(1, 5), st.sampled_from(["rejected", "ignored"])), min_size=1, max_size=6))
def test_marks_are_weighed_face_by_face_and_by_nobodys_order(votes: list[dict[int, str]]) -> None:
    marks, sure = weigh_marks(votes)
    assert weigh_marks(votes[::-1])[1] == pytest.approx(sure)
    assert 0 < sure <= 1 and set(marks) <= set().union(*votes)
    for face, mark in marks.items():
        said = [vote.get(face) for vote in votes]
        assert said.count(mark) >= max(said.count(kind) for kind in ("rejected", "ignored"))
        assert len(said) - said.count(None) > said.count(None)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.integers(1, 9), st.sampled_from(["rejected", "ignored", "not_faces", "a", "b"])))
def test_marks_and_payloads_say_the_same(given_marks: dict[int, str]) -> None:
    groups = [[face for face, mark in given_marks.items() if mark == kind] for kind in "ab"]
    payload = {kind: [face for face, mark in given_marks.items() if mark == kind] for kind in ("rejected", "ignored")}
    payload |= {"not_faces": [face for face, mark in given_marks.items() if mark == "not_faces"]}
    payload |= {"split": [group for group in groups if group]}
    marks = marks_of(payload)
    assert marks.keys() == given_marks.keys()
    again = payload_of(marks)
    assert marks_of(again) == marks and all(again.values())
    assert sorted(map(sorted, again.get("split", []))) == sorted(sorted(group) for group in groups if group)
