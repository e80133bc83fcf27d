"""Warps and their inverses, and labels against marked pixels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthesis.samples import Rejected
from synthesis.text.geometry import corners, draw, expected_scale, fit
from synthesis.text.layout import Block
from synthesis.text.warps import (
    Arc,
    Elastic,
    Lens,
    OneWarpOf,
    Perspective,
    ProbablyWarp,
    Projective,
    Rotation,
    Sine,
    Warp,
    join,
)

WARPS: list[Warp] = [
    Rotation((-30, 30), (-0.4, 0.4)),
    Perspective((-0.5, 0.5), (-0.3, 0.3)),
    Arc((-120, 120)),
    Sine((0.0, 0.4)),
    Elastic((0.0, 0.1)),
    Lens((-0.15, 0.15)),
    OneWarpOf((Arc(), Sine())),
    ProbablyWarp(0.5, Arc()),
]


def block(width: int = 240, height: int = 40, border: int = 10) -> Block:
    """Five marked squares, three in the first word, as if they were characters."""
    lefts = np.array([12, 60, 108, 156, 220])
    tops = np.array([12, 40, 20, 12, 30])
    boxes = np.stack([lefts, tops, lefts + 9, tops + 9], axis=1).astype(float)
    coverage = np.zeros((height + 2 * border, width + 2 * border), np.uint8)
    return Block(coverage, border, boxes, np.array([0, 0, 0, 1, 1]), 40.0)


@pytest.mark.parametrize("warp", WARPS, ids=lambda warp: type(warp).__name__)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.floats(1.0, 15.0))
def test_backward_undoes_forward(warp: Warp, seed: int, length: float) -> None:
    rng = np.random.default_rng(seed)
    params, size = warp.sample(rng), (length, 1.0)
    points = rng.uniform(-0.5, 0.5, (50, 2)) * np.array(size)
    back = warp.backward(warp.forward(points, params, size), params, size)
    assert np.allclose(back, points, atol=2e-3)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    chosen=st.lists(st.sampled_from(WARPS), max_size=3),
    across=st.integers(32, 128),
)
def test_quads_follow_marked_pixels(seed: int, chosen: list[Warp], across: int) -> None:
    """Each character's box is drawn alone and warped: its ink's centre is the quad's, and it stays inside the image."""
    rng = np.random.default_rng(seed)
    flat = block()
    warps = [(warp, warp.sample(rng)) for warp in chosen]
    try:
        mapping, shape, characters, words = fit(flat, warps, across, (4.0, 3.0), False)
    except Rejected:
        return
    assert shape[0] == across
    for quads in (characters, words):
        assert quads.min() >= -1e-6
        assert (quads <= np.array(shape[::-1]) + 1e-6).all()
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    for place, box in enumerate(flat.boxes.astype(int).tolist()):
        marked = flat.coverage.copy()
        marked[box[1] : box[3], box[0] : box[2]] = 255
        seen = draw(marked, mapping, shape).astype(float)
        area = seen.sum() / 255
        if area < 4:
            continue  # shrunk to nothing by perspective
        centre = np.array([(seen * x).sum(), (seen * y).sum()]) / seen.sum()
        # The square's cells, brought through the same warps, count by the area that they have then.
        grid = np.stack(np.meshgrid(*(np.linspace(0, 9, 11),) * 2), axis=-1) + box[:2]
        landed = mapping.forward(grid.reshape(-1, 2)).reshape(11, 11, 2)
        down, up = landed[1:, 1:] - landed[:-1, :-1], landed[:-1, 1:] - landed[1:, :-1]
        areas = np.abs(down[..., 0] * up[..., 1] - down[..., 1] * up[..., 0])[..., None]
        middles = (landed[1:, 1:] + landed[:-1, :-1] + landed[:-1, 1:] + landed[1:, :-1]) / 4
        expected = (middles * areas).sum(axis=(0, 1)) / areas.sum()
        assert np.abs(centre - expected).max() < 1.0  # resampling adds its half pixel
        quad = characters[place]
        assert np.allclose(quad, mapping.forward(corners(np.array([box], float))[0]), atol=1e-6)
        assert (np.abs(seen[y > quad[:, 1].max() + 2]) < 40).all()
        assert (np.abs(seen[x > quad[:, 0].max() + 2]) < 40).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), chosen=st.lists(st.sampled_from(WARPS), max_size=3))
def test_word_quads_hold_their_characters(seed: int, chosen: list[Warp]) -> None:
    rng = np.random.default_rng(seed)
    flat = block()
    try:
        _, _, characters, words = fit(flat, [(warp, warp.sample(rng)) for warp in chosen], 64, (4.0, 3.0), False)
    except Rejected:
        return
    assert len(words) == 2
    for word, quad in enumerate(words):
        edges = np.roll(quad, -1, axis=0) - quad
        lengths = np.hypot(*edges.T)
        offsets = characters[flat.words == word].reshape(-1, 2)[:, None] - quad
        inside = (edges[:, 0] * offsets[..., 1] - edges[:, 1] * offsets[..., 0]) / lengths
        assert inside.min() > -1.5


@given(seed=st.integers(0, 2**32 - 1))
def test_combinators_unpack_to_the_same_warp(seed: int) -> None:
    rng = np.random.default_rng(seed)
    warp = ProbablyWarp(0.5, OneWarpOf((Arc(), ProbablyWarp(0.5, Sine()))))
    params, points = warp.sample(rng), rng.uniform(-1, 1, (9, 2))
    bent = points
    for step, drawn in warp.acting(params):
        assert not isinstance(step, OneWarpOf | ProbablyWarp)
        bent = step.forward(bent, drawn, (4.0, 1.0))
    assert np.array_equal(bent, warp.forward(points, params, (4.0, 1.0)))


@given(seed=st.integers(0, 2**32 - 1), chosen=st.lists(st.sampled_from(WARPS[:6]), max_size=5))
def test_joined_steps_bend_alike(seed: int, chosen: list[Warp]) -> None:
    rng, size = np.random.default_rng(seed), (4.0, 1.0)
    steps = [(warp, warp.sample(rng)) for warp in chosen]
    points = rng.uniform(-0.5, 0.5, (9, 2)) * size
    fewer = join(steps, size)
    assert not any(
        isinstance(one, Projective) and isinstance(other, Projective) for (one, _), (other, _) in pairwise(fewer)
    )
    expected = bent = points
    for warp, params in steps:
        expected = warp.forward(expected, params, size)
    for warp, params in fewer:
        bent = warp.forward(bent, params, size)
    assert np.allclose(bent, expected, atol=1e-9)


@given(seed=st.integers(0, 2**32 - 1), length=st.floats(1.0, 15.0))
def test_the_expected_scale_is_near_the_scale(seed: int, length: float) -> None:
    rng = np.random.default_rng(seed)
    box = np.array([[10.0, 10.0, 10 + 40 * length, 50.0]])
    flat = Block(np.zeros((60, round(40 * length) + 20), np.uint8), 10, box, np.array([0]), 40.0)
    warps = [(warp, warp.sample(rng)) for warp in (Rotation((-12, 12)), Perspective(), Elastic((0.0, 0.05)))]
    mapping, *_ = fit(flat, warps, 48, (4.0, 3.0), False)
    assert expected_scale((length, 1.0), warps, 48, 3.0, False) == pytest.approx(mapping.scale, rel=0.15)
