"""Verification against brute force over all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.evaluation import (
    Criterion,
    Difference,
    FaceSet,
    decide,
    difference,
    error_versus_reject,
    label_free_trial,
    tar_at_far,
    verification_trial,
)


def faces(seed: int, people: int, each: int, spread: float) -> FaceSet:
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), each)
    vectors = rng.normal(size=(people, 16))[who] + spread * rng.normal(size=(people * each, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return FaceSet(vectors.astype(np.float32), who.astype(np.int64), np.arange(people * each))


def brute(probes: FaceSet, gallery: FaceSet | None, far: float) -> float:
    """All pairs, one by one."""
    genuine, impostor = [], []
    other = gallery or probes
    for i in range(len(probes.people)):
        for j in range(0 if gallery else i + 1, len(other.people)):
            similarity = probes.vectors[i] @ other.vectors[j]
            if probes.people[i] != other.people[j]:
                impostor.append(similarity)
            elif probes.sources[i] != other.sources[j]:
                genuine.append(similarity)
    falling = np.sort(impostor)[::-1]
    threshold = falling[int(far * len(falling))]
    return float(np.mean(np.array(genuine) > threshold + 1e-7))


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(2, 5), st.floats(0.2, 2), st.sampled_from([0.1, 0.01]))
@settings(max_examples=60, deadline=None)
def test_the_rate_is_that_of_brute_force(seed: int, people: int, each: int, spread: float, far: float) -> None:
    clean, copies = faces(seed, people, each, spread), faces(seed + 1, people, each, spread)
    assert tar_at_far(verification_trial(clean, far=far), far, replicates=2).value == pytest.approx(
        brute(clean, None, far), abs=1e-9
    )
    assert tar_at_far(verification_trial(copies, clean, far=far), far, replicates=2).value == pytest.approx(
        brute(copies, clean, far), abs=1e-9
    )


def test_pairs_of_one_source_photo_are_left_out() -> None:
    clean = faces(1, 5, 3, 0.5)
    trial = verification_trial(clean, clean)
    assert len(trial.genuine) == 5 * 3 * 2
    assert trial.pairs.sum() == 15 * 15 - 5 * 9


def test_keeping_only_the_closest_impostors_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = faces(3, 120, 4, 1.0)
    whole = tar_at_far(verification_trial(sets, far=1e-3), 1e-3)
    monkeypatch.setattr("models_zoo.evaluation.trial.BLOCK", 37)
    pruned = verification_trial(sets, far=1e-3)
    assert len(pruned.impostor) == 10_000 < pruned.pairs.sum()
    assert tar_at_far(pruned, 1e-3) == whole


def test_the_interval_holds_the_rate_and_narrows_with_more_people() -> None:
    few, many = (tar_at_far(verification_trial(faces(5, people, 4, 1.1)), 1e-2) for people in (10, 120))
    assert few.low <= few.value <= few.high
    assert many.high - many.low < few.high - few.low


def test_a_better_model_gains_significantly_and_the_same_one_does_not() -> None:
    before, after = faces(7, 60, 4, 1.2), faces(7, 60, 4, 0.8)
    gain = difference(verification_trial(before), verification_trial(after), 1e-2)
    assert gain.significant_gain
    assert gain.low <= gain.value <= gain.high
    same = difference(verification_trial(before), verification_trial(before), 1e-2)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_trials_of_other_faces_are_not_compared() -> None:
    with pytest.raises(InvalidInput, match="same faces"):
        difference(verification_trial(faces(1, 5, 3, 1)), verification_trial(faces(1, 5, 4, 1)), 1e-2)


@pytest.mark.parametrize("far", [0.0, -1.0, 0.5])
def test_senseless_rates_are_refused(far: float) -> None:
    with pytest.raises(InvalidInput):
        tar_at_far(verification_trial(faces(1, 5, 3, 1)), far)


def test_one_person_alone_can_not_be_verified() -> None:
    with pytest.raises(InvalidInput, match="two people"):
        verification_trial(faces(1, 1, 5, 1))


def test_vectors_must_be_normalised() -> None:
    sets = faces(1, 3, 2, 1)
    with pytest.raises(InvalidInput, match="normalised"):
        FaceSet(sets.vectors * 2, sets.people, sets.sources)


def test_without_labels_faces_of_one_photo_are_the_impostors() -> None:
    clean = faces(11, 200, 1, 0.0)
    noisy = np.stack([faces(11, 200, 1, 0.1).vectors, faces(11, 200, 1, 3.0).vectors], axis=1)
    photos = np.repeat(np.arange(10), 20)
    trial, basis = label_free_trial(clean.vectors, noisy, photos, far=1e-2)
    assert basis == "faces of one photo"
    assert trial.pairs.sum() == 10 * 20 * 19 * 2
    assert (trial.pairs > 0).sum() == 10 * 20 * 19
    assert 0.5 < tar_at_far(trial, 1e-2).value < 1


def test_without_enough_shared_photos_random_pairs_stand_in_and_it_says_so() -> None:
    clean = faces(13, 100, 1, 0.0)
    shots = faces(13, 100, 1, 0.2).vectors[:, None]
    alone = np.arange(100)
    trial, basis = label_free_trial(clean.vectors, shots, alone, far=1e-2, apart=alone)
    assert "random" in basis
    assert np.diagonal(trial.pairs).sum() == 0
    with pytest.raises(InvalidInput, match="too few"):
        label_free_trial(clean.vectors, shots, alone, far=1e-2)


def test_rejecting_poor_faces_lowers_the_error_where_quality_tells() -> None:
    rng = np.random.default_rng(1)
    quality = rng.random(4000).astype(np.float32)
    same = rng.random(4000) < 0.5
    similarity: NDArray[np.float32] = (np.where(same, 0.2 + 0.8 * quality, 0.0) + 0.1 * rng.normal(size=4000)).astype(
        np.float32
    )
    curve = error_versus_reject(similarity, same, quality, 1e-2)
    assert curve[0]["fnmr"] > curve[5]["fnmr"] > curve[10]["fnmr"]


def test_the_gate_promotes_a_sure_gain_and_gives_its_reasons() -> None:
    gain, level = Difference(0.05, 0.02, 0.08), Difference(-0.001, -0.004, 0.002)
    verdict = decide([Criterion("low", gain, primary=True), Criterion("clean", level, tolerance=0.003)])
    assert verdict.promoted
    assert len(verdict.reasons) == 2


@pytest.mark.parametrize(
    ("primary", "clean", "word"),
    [
        (Difference(0.05, -0.01, 0.1), Difference(0, 0, 0), "not a significant gain"),
        (Difference(0.05, 0.02, 0.1), Difference(-0.01, -0.02, 0), "falls by more"),
    ],
)
def test_the_gate_refuses_doubtful_gains_and_losses_elsewhere(
    primary: Difference, clean: Difference, word: str
) -> None:
    verdict = decide([Criterion("low", primary, primary=True), Criterion("clean", clean, tolerance=0.003)])
    assert not verdict.promoted
    assert any(word in reason for reason in verdict.reasons)


def test_the_gate_promotes_nothing_without_figures() -> None:
    assert not decide([]).promoted
