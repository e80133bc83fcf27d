from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from annotation.clustering import Answers, ImpostorModel, calibrate
from annotation.clustering.answered import refine
from foundation.errors import InvalidInput
from tests.annotation.clustering.made_up_faces import people

STRANGERS = ImpostorModel(np.ones(1), np.array([0.08]), np.array([0.09]))
THRESHOLD = 0.46


def answers(similarity: float, same: int, different: int) -> Answers:
    return Answers(np.full(same + different, similarity), np.arange(same + different) < same)


def moved(said: Answers, **options: float) -> float:
    return refine(THRESHOLD, said, STRANGERS, **{"share": 0.5, "floor": 0.1, **options}).similarity - THRESHOLD


def test_without_answers_nothing_moves() -> None:
    found = refine(THRESHOLD, answers(0.4, 0, 0), STRANGERS, share=0.5, floor=0.1)
    assert (found.answers, found.same, found.expected) == (0, 0, 0)
    assert found.similarity == pytest.approx(THRESHOLD, abs=1e-4) and found.without == THRESHOLD
    assert found.low < THRESHOLD < found.high


def test_ten_answers_against_the_model_move_the_threshold_and_contradictory_ones_do_not() -> None:
    assert moved(answers(0.43, 10, 0)) < -0.02
    assert moved(answers(0.46, 0, 10)) > 0.02
    assert abs(moved(answers(0.46, 5, 5))) < 0.002
    assert moved(answers(0.43, 100, 0)) < moved(answers(0.43, 10, 0)) < moved(answers(0.43, 1, 0)) < 0


def test_more_answers_make_it_surer() -> None:
    widths = []
    for count in (2, 10, 100):
        found = refine(THRESHOLD, answers(THRESHOLD, count // 2, count // 2), STRANGERS, share=0.5, floor=0.1)
        assert found.low <= found.similarity <= found.high
        widths.append(found.high - found.low)
    assert widths[0] > widths[1] > 2 * widths[2]


def test_what_the_model_expects_says_little_and_a_slip_nothing() -> None:
    assert abs(moved(answers(0.2, 0, 30))) < 0.002  # strangers, clearly
    assert abs(moved(answers(0.1, 1, 0))) < 0.003  # one photo that shows nothing of the face, or a slip


def test_questions_picked_where_there_is_doubt_do_not_bias_it() -> None:
    """Answers that follow the model, asked only near the threshold and more often where 'same' is likely."""
    rng = np.random.default_rng(2)
    similarity = rng.uniform(0.40, 0.47, 400)
    steepness = refine(THRESHOLD, answers(0.42, 0, 1), STRANGERS, share=0.5, floor=0.1).expected
    odds = (similarity - THRESHOLD) * np.log(steepness / (1 - steepness)) / (0.42 - THRESHOLD)
    same = rng.random(400) < expit(odds)
    asked = rng.random(400) < expit(odds) + 0.1
    found = Answers(similarity[asked], same[asked])
    assert abs(moved(found)) < 0.01
    off = Answers(similarity[asked] - 0.03, same[asked])  # the same answers at lower similarities: the model is off
    assert moved(off) == pytest.approx(-0.03, abs=0.012)


def test_it_never_falls_below_the_floor() -> None:
    found = refine(THRESHOLD, answers(0.42, 500, 0), STRANGERS, share=0.5, floor=0.43)
    assert found.low == found.similarity == 0.43


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.booleans()), max_size=12), st.floats(0.3, 0.7), st.floats(0.05, 0.95))
def test_any_answers_give_an_interval(said: list[tuple[float, bool]], threshold: float, share: float) -> None:
    given_ = Answers(np.array([s for s, _ in said]), np.array([same for _, same in said], np.bool_))
    found = refine(threshold, given_, STRANGERS, share=share, floor=0.2)
    assert 0.2 <= found.low <= found.similarity <= found.high <= 1
    assert 0 <= found.expected <= len(said) == found.answers
    more = Answers(np.append(given_.similarity, threshold), np.append(given_.same, True))
    assert refine(threshold, more, STRANGERS, share=share, floor=0.2).similarity <= found.similarity + 1e-6


def test_calibration_takes_answers_and_keeps_them_in_its_record() -> None:
    vectors, _ = people(seed=11, count=300, faces=600)
    without = calibrate(vectors)
    assert without.answers is None and without.record()["answers"] is None
    threshold = without.merge.similarity
    found = calibrate(vectors, answers=answers(threshold - 0.02, 10, 0))
    assert found.answers is not None and found.answers.answers == 10
    assert found.answers.without == threshold > found.merge.similarity == found.answers.similarity
    assert found.merge.low <= found.merge.similarity <= found.merge.high
    assert found.merge.false_match_rate > without.merge.false_match_rate
    assert found.core == without.core and found.thresholds.merge_similarity == found.merge.similarity
    assert found.refined_by(answers(threshold, 0, 0)) is found
    assert found.refined_by(answers(threshold - 0.02, 10, 0)) == found  # from what it was without any
    record = found.record()
    assert json.loads(json.dumps(record)) == record and record["answers"]["answers"] == 10


def test_bad_answers_are_refused() -> None:
    for similarity, same in (([0.1, 0.2], [True]), ([1.2], [True]), ([np.nan], [True])):
        with pytest.raises(InvalidInput) as refused:
            refine(THRESHOLD, Answers(np.array(similarity), np.array(same)), STRANGERS, share=0.5, floor=0.1)
        assert refused.value.code == "bad_answers"
