"""Farthest-point selection against every choice there is, and what a run does with it."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from mining.strategies.diversity import distances, farthest_first
from mining.strategies.pairs_near_threshold import PairsNearThreshold
from tests.mining.small_pool import make_pool, random_pool


def two_sides(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Up to nine questions, some of them about the same faces."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(5, 3))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    first, second = rng.integers(0, 5, (2, int(rng.integers(1, 10))))
    return vectors[first], vectors[second]


def matrix(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distances by their definition."""
    straight = np.hstack([first, second])
    crossed = np.hstack([second, first])
    either = [np.linalg.norm(straight[:, None] - other[None], axis=2) for other in (straight, crossed)]
    return np.asarray(np.minimum(*either))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_the_radius_is_at_most_twice_the_best(seed: int, count: int) -> None:
    first, second = two_sides(seed)
    apart, n = matrix(first, second), len(first)
    found = farthest_first(first, second, count)
    assert len(set(found.picked.tolist())) == min(count, n) and found.picked[0] == 0
    assert found.radius == pytest.approx(apart[:, found.picked].min(axis=1).max(), abs=2e-3)
    best = min(apart[:, list(some)].min(axis=1).max() for some in combinations(range(n), min(count, n)))
    assert found.radius <= 2 * best + 2e-3


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_distances_are_a_metric_blind_to_which_face_is_first(seed: int) -> None:
    first, second = two_sides(seed)
    found = np.stack([distances(first, second, at) for at in range(len(first))])
    assert np.allclose(found, matrix(first, second), atol=2e-3)
    assert (found[:, :, None] <= found[:, None, :] + found.T[None] + 4e-3).all()
    swapped = distances(np.vstack([first, second[:1]]), np.vstack([second, first[:1]]), 0)
    assert swapped[-1] == pytest.approx(0, abs=2e-3)


def test_nothing_is_picked_of_nothing_and_copies_are_picked_once_each() -> None:
    none = np.empty((0, 3), np.float32)
    assert farthest_first(none, none, 4).picked.tolist() == []
    same = np.tile(np.array([[1, 0, 0]], np.float32), (3, 1))
    assert farthest_first(same, same, 9).picked.tolist() == [0, 1, 2]
    assert farthest_first(same, same, 0).picked.tolist() == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.sampled_from([0.25, 0.5, 1.0]))
def test_diverse_questions_are_among_the_most_valuable_and_in_their_order(
    seed: int, budget: int, diversity: float
) -> None:
    pool = random_pool(seed)
    by_value = PairsNearThreshold().mine(pool, budget=1000).questions
    found = PairsNearThreshold().mine(pool, budget=budget, diversity=diversity)
    reached = by_value[: budget + round(diversity * 3 * budget)]
    assert len(found.questions) == min(budget, len(reached)) == found.report["picked"]
    places = [reached.index(question) for question in found.questions]
    assert places == sorted(places) and (not places or places[0] == 0)
    assert PairsNearThreshold().mine(pool, budget=budget).questions == by_value[:budget]


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan")])
def test_a_diversity_out_of_range_is_refused(diversity: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        PairsNearThreshold().mine(make_pool(np.eye(3), [0, 1, 2]), budget=1, diversity=diversity)
    assert caught.value.code == "bad_diversity"
