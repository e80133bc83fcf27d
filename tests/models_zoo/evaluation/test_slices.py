"""Slices by quality, ranked by how well their faces are recognised, beside a plain reading of the definition."""

from __future__ import annotations

import numpy as np
import pytest

from foundation.errors import InvalidInput, NotFound
from models_zoo.evaluation import (
    FaceSet,
    difference,
    find_slices,
    mean_difference,
    rank_slices,
    slice_called,
    tar_at_far,
    verification_trial,
)


def world(people: int = 40, shots: int = 6, seed: int = 0) -> tuple[FaceSet, dict[str, np.ndarray]]:
    """Faces that are harder to recognise the darker they are; size means nothing."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), shots)
    brightness = rng.uniform(20, 200, len(who)).astype(np.float32)
    centres = rng.normal(size=(people, 24))
    blur = (1.6 - brightness / 140).clip(0.2)[:, None]
    vectors = centres[who] + blur * 1.6 * rng.normal(size=(len(who), 24))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    measures = {"brightness": brightness, "size_px": rng.uniform(8, 60, len(who)).astype(np.float32)}
    measures |= {"yaw": rng.normal(0, 20, len(who)).astype(np.float32), "pitch": np.zeros(len(who), np.float32)}
    return FaceSet(vectors.astype(np.float32), who, np.arange(len(who))), measures


def test_the_worst_slice_is_the_planted_one_and_its_rate_is_that_of_its_faces() -> None:
    faces, measures = world()
    ranked = rank_slices(faces, faces, measures, far=1e-2)
    assert ranked[0][0].name == "dark"
    assert [rate.value for _, rate in ranked] == sorted(rate.value for _, rate in ranked)
    dark = measures["brightness"] <= np.quantile(measures["brightness"], 0.2)
    probes = FaceSet(faces.vectors[dark], faces.people[dark], faces.sources[dark])
    assert ranked[0][1].value == tar_at_far(verification_trial(probes, faces, far=1e-2), 1e-2).value


def test_a_slice_is_a_limit_that_holds_for_other_faces() -> None:
    _, measures = world()
    _, others = world(seed=1)
    dark = slice_called("dark", measures)
    assert dark.rows(measures).mean() == pytest.approx(0.2, abs=0.02)
    assert np.array_equal(dark.rows(others), others["brightness"] <= dark.limit)
    turned = slice_called("turned", measures, share=0.1)
    assert np.array_equal(turned.rows(measures), np.abs(measures["yaw"]) >= turned.limit)
    assert {one.name for one in find_slices(measures)} == {"small", "dark", "bright", "turned"}
    assert "brightness at most" in str(dark)
    assert "small" not in {one.name for one in find_slices(measures | {"size_px": np.full(240, 40, np.float32)})}
    with pytest.raises(NotFound, match="dark"):
        slice_called("covered_eyes", measures)
    with pytest.raises(InvalidInput):
        dark.rows({"size_px": measures["size_px"]})


def test_nobody_to_compare_is_said() -> None:
    faces, measures = world(people=3, shots=2)
    with pytest.raises(InvalidInput, match="pairs"):
        rank_slices(faces, faces, measures, far=1e-2)


def test_a_mean_difference_is_the_mean_of_the_differences() -> None:
    trials = []
    for seed in range(4):
        faces, _ = world()
        vectors = faces.vectors + np.random.default_rng(seed).normal(0, 0.02 + 0.02 * seed, faces.vectors.shape)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        trials.append(verification_trial(FaceSet(vectors.astype(np.float32), faces.people, faces.sources), far=1e-2))
    both = mean_difference(trials[:2], trials[2:], 1e-2, replicates=50)
    single = [difference(a, b, 1e-2, replicates=1).value for a in trials[:2] for b in trials[2:]]
    assert both.value == pytest.approx(np.mean(single))
    assert both.low <= both.value <= both.high
    one = mean_difference(trials[:1], trials[1:2], 1e-2, replicates=50)
    assert (one.value, one.low, one.high) == pytest.approx(
        tuple(vars(difference(trials[0], trials[1], 1e-2, replicates=50)).values())
    )
    with pytest.raises(InvalidInput):
        mean_difference([], trials, 1e-2)
