from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import beta

from annotation.clustering import (
    CalibrationTargets,
    Constraints,
    ImpostorModel,
    Thresholds,
    agreement,
    calibrate,
    cluster,
)
from annotation.clustering.impostors import fit_bulk, truncated_normal
from annotation.clustering.vectors import Indexes, Vectors
from foundation.errors import InvalidInput
from tests.annotation.clustering.made_up_faces import normalised, people


def impostor_quantile(vectors: Vectors, truth: Indexes, rate: float) -> float:
    rows, columns = np.triu_indices(len(vectors), 1)
    apart = truth[rows] != truth[columns]
    return float(np.quantile((vectors @ vectors.T)[rows, columns][apart], 1 - rate))


def album(seed: int, sizes: list[int], noise: float = 0.7) -> tuple[Vectors, Indexes]:
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centres = rng.normal(size=(len(sizes), 64))
    return normalised(centres[truth] + noise * rng.normal(size=(len(truth), 64))), truth


def test_truncated_normal_recovers_what_was_cut_off() -> None:
    values = np.random.default_rng(0).normal(0.1, 0.08, 200_000)
    for bound in (0.1, 0.2, 0.3, 0.6):
        seen = values[values < bound]
        mean, spread = truncated_normal(bound, seen.mean(), seen.var())
        assert (mean, spread) == (pytest.approx(0.1, abs=0.002), pytest.approx(0.08, abs=0.002))


@pytest.mark.parametrize("genuine", [0.0, 0.05, 0.3, 0.6])
def test_genuine_pairs_do_not_move_the_impostors(genuine: float) -> None:
    rng = np.random.default_rng(1)
    impostors, rest = rng.normal(0.09, 0.09, 40_000), rng.normal(0.6, 0.1, int(40_000 * genuine / (1 - genuine)))
    mean, spread = fit_bulk(np.concatenate([impostors, rest]).astype(np.float32))
    assert (mean, spread) == (pytest.approx(0.09, abs=0.01), pytest.approx(0.09, abs=0.006))


@pytest.mark.parametrize(
    "sizes",
    [[1] * 1200, [10] * 150, [300, *[2] * 300], [200, *[1] * 100]],
    ids=["strangers", "everybody ten times", "one big identity", "an owner's profile"],
)
def test_finds_the_tail_of_the_true_impostors_without_labels(sizes: list[int]) -> None:
    vectors, truth = album(2, sizes)
    calibration = calibrate(vectors)
    assert calibration.random is not None
    rate = 2e-4
    # Directions of strangers are uniform on the sphere in 64 dimensions: cos ** 2 follows Beta(1/2, 63/2).
    expected = float(np.sqrt(beta.isf(2 * rate, 0.5, 31.5)))
    assert calibration.random.similarity(rate) == pytest.approx(expected, abs=0.03)
    assert calibration.core.low <= calibration.core.similarity <= calibration.core.high
    labels = cluster(vectors, thresholds=calibration.thresholds).labels
    assert agreement(labels, truth).bcubed.precision > 0.98


def test_faces_that_resemble_each_other_for_being_blurred_raise_the_threshold() -> None:
    sharp, _ = album(3, [1] * 600)
    haze = np.random.default_rng(4).normal(size=(1, 64)) * 0.6
    vectors = np.concatenate(
        [sharp[:300], normalised(sharp[300:] * 4 + np.random.default_rng(5).normal(size=(300, 1)) * haze)]
    )
    truth = np.arange(600)
    calibration = calibrate(vectors)
    assert calibration.random is not None
    plain = calibrate(sharp).random
    assert plain is not None
    assert calibration.random.similarity(1e-4) > plain.similarity(1e-4)
    assert calibration.random.similarity(1e-3) == pytest.approx(impostor_quantile(vectors, truth, 1e-3), abs=0.06)


def test_rates_fall_with_the_number_of_faces() -> None:
    vectors, _ = album(6, [1] * 400)
    targets = CalibrationTargets(core_false_neighbours=0.1, merge_false_neighbours=0.02, false_share=None)
    few, many = calibrate(vectors, targets=targets), calibrate(vectors, targets=targets, faces=1_000_001)
    assert few.core.false_match_rate == pytest.approx(0.1 / 399)
    assert many.core.false_match_rate == pytest.approx(1e-7)
    assert many.merge.false_match_rate == pytest.approx(2e-8)
    assert many.core.similarity > few.core.similarity
    assert many.merge.similarity > many.core.similarity
    assert many.thresholds.core_distance == 1 - many.core.similarity


def test_people_scattered_by_blur_afford_looser_thresholds_than_strangers() -> None:
    few, many = calibrate(album(13, [1] * 600)[0]), calibrate(album(13, [10] * 60, noise=1.2)[0])
    targets = CalibrationTargets()
    usual = targets.merge_false_neighbours
    assert few.merge_false_neighbours < usual < 2 * usual < many.merge_false_neighbours
    assert many.merge.false_match_rate == pytest.approx(many.merge_false_neighbours / 599)
    assert many.core.false_match_rate / many.merge.false_match_rate == pytest.approx(
        targets.core_false_neighbours / usual
    )


def test_same_photo_pairs_have_a_say_when_there_are_enough() -> None:
    vectors, _ = album(7, [1] * 800)
    photo = np.arange(800) // 5
    crowd = vectors + 0.45 * vectors[photo * 5]  # faces of one photo share something
    vectors = normalised(crowd)
    none = Constraints.none(800)
    constraints = Constraints(none.identity, photo.astype(np.int64), none.must, none.cannot)
    targets = CalibrationTargets(least_same_photo_pairs=1000)
    calibration = calibrate(vectors, constraints=constraints, targets=targets)
    assert calibration.same_photo_pairs == 160 * 10
    assert calibration.core.basis == "same_photo"
    assert calibration.same_photo is not None
    assert calibration.random is not None
    assert calibration.same_photo.means[0] > calibration.random.means.max()
    too_few = CalibrationTargets(least_same_photo_pairs=2000)
    assert calibrate(vectors, constraints=constraints, targets=too_few).core.basis == "random"


def test_faces_that_a_person_linked_are_no_impostors() -> None:
    vectors, truth = album(8, [40] * 40)
    none = Constraints.none(len(vectors))
    named = Constraints(truth, none.photo, none.must, none.cannot)
    assert calibrate(vectors, constraints=named).sampled == 40


def test_too_few_faces_need_a_prior() -> None:
    vectors, _ = people(seed=9, count=5, faces=10)
    with pytest.raises(InvalidInput, match="too few") as caught:
        calibrate(vectors)
    assert caught.value.code == "calibration_too_few"
    prior = ImpostorModel(np.ones(1), np.array([0.1]), np.array([0.09]))
    calibration = calibrate(vectors, prior=prior)
    assert calibration.core.basis == "prior"
    assert prior.rate(calibration.core.similarity) == pytest.approx(1e-3, rel=1e-3)
    assert calibrate(vectors[:0], prior=prior).faces == 2


def test_many_faces_of_few_people_go_by_the_prior() -> None:
    vectors, truth = album(12, [90, 70, 40])
    prior = ImpostorModel(np.ones(1), np.zeros(1), np.array([0.125]))
    calibration = calibrate(vectors, prior=prior)
    assert calibration.core.basis == "prior"
    assert calibration.people < 30
    labels = cluster(vectors, thresholds=calibration.thresholds).labels
    assert agreement(labels, truth).pairwise.f > 0.99


def test_copies_of_one_face_do_not_break_it() -> None:
    vectors = np.repeat(people(seed=10, count=1, faces=1)[0], 100, axis=0)
    assert 0 <= calibrate(vectors).thresholds.core_distance <= 2


def test_the_record_is_plain_json_and_a_seed_repeats_it() -> None:
    vectors, _ = album(11, [2] * 100)
    record = calibrate(vectors, seed=3).record()
    assert json.loads(json.dumps(record)) == record
    assert record == calibrate(vectors, seed=3).record()
    assert record["core"]["basis"] == "random"
    assert Thresholds.from_record(record["thresholds"]) == calibrate(vectors, seed=3).thresholds
    assert sum(record["random"]["shares"]) == pytest.approx(1)
