from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from annotation.clustering import Constraints, ImpostorModel, resolve
from annotation.clustering.false_share import OCTAVES, affordable_neighbours, nearest_others
from annotation.clustering.vectors import Vectors
from tests.annotation.clustering.made_up_faces import constrained_vectors

OTHERS = 2000
IMPOSTORS = ImpostorModel(np.ones(1), np.array([0.1]), np.array([0.1]))


def nearest_strangers(rng: np.random.Generator, faces: int) -> np.ndarray:
    """The highest of so many draws from the impostors, by the inverse of its distribution."""
    highest: np.ndarray = 0.1 - 0.1 * ndtri(-np.expm1(np.log(rng.random(faces)) / OTHERS))
    return highest


def affordable(nearest: np.ndarray, share: float = 0.5) -> float:
    return affordable_neighbours(nearest, IMPOSTORS, others=OTHERS, share=share, usual=0.03)


@pytest.mark.parametrize("spread", [0.06, 0.12])
@pytest.mark.parametrize("genuine", [0.3, 0.9])
def test_as_many_are_false_at_the_threshold_as_the_share_says(spread: float, genuine: float) -> None:
    rng = np.random.default_rng(0)
    strangers = nearest_strangers(rng, 200_000)
    own = np.where(rng.random(len(strangers)) < genuine, rng.normal(0.55, spread, len(strangers)), -1.0)
    nearest, false = np.maximum(strangers, own), strangers > own
    number = affordable(nearest)
    low, high = (IMPOSTORS.similarity(times * number / OTHERS) for times in (1.3, 1 / 1.3))
    there = (nearest >= low) & (nearest < high)
    assert false[there].mean() == pytest.approx(0.5, abs=0.1)


def test_strangers_afford_less_and_scattered_people_more_than_usual() -> None:
    rng = np.random.default_rng(1)
    alone = affordable(nearest_strangers(rng, 2000))
    scattered = affordable(np.maximum(nearest_strangers(rng, 2000), rng.normal(0.45, 0.08, 2000)))
    assert alone < 0.03 < 4 * 0.03 < scattered


def test_without_any_faces_the_usual_number_holds() -> None:
    assert affordable(np.empty(0)) == pytest.approx(0.03, rel=0.05)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1, 1, width=32), max_size=40), st.floats(0.05, 0.9), st.integers(0, 5000))
def test_never_strays_further_from_the_usual_than_it_may(nearest: list[float], share: float, others: int) -> None:
    found = affordable_neighbours(np.array(nearest), IMPOSTORS, others=others, share=share, usual=0.03)
    assert 0.03 * 2.0 ** OCTAVES[0] <= found <= 0.03 * 2.0 ** OCTAVES[1]


def test_a_larger_share_affords_more() -> None:
    rng = np.random.default_rng(2)
    nearest = np.maximum(nearest_strangers(rng, 2000), rng.normal(0.45, 0.08, 2000))
    assert affordable(nearest, 0.2) < affordable(nearest, 0.5) < affordable(nearest, 0.8)


@settings(max_examples=60, deadline=None)
@given(constrained_vectors())
def test_nearest_others_leave_out_what_is_known(given_: tuple[Vectors, Constraints]) -> None:
    vectors, constraints = given_
    resolution = resolve(constraints)
    faces = np.arange(0, len(vectors), 2)
    found = nearest_others(vectors, faces, resolution)
    for face, similarity in zip(faces.tolist(), found.tolist(), strict=True):
        free = [
            float(vectors[face].astype(np.float64) @ vectors[other])
            for other in range(len(vectors))
            if resolution.component[other] != resolution.component[face]
            and (resolution.photo[face] < 0 or resolution.photo[other] != resolution.photo[face])
        ]
        assert similarity == pytest.approx(max(free, default=-1), abs=1e-5)
