from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.alignment import (
    TEMPLATE,
    DegenerateLandmarks,
    align,
    align_all,
    degenerate,
    similarity_transform,
    similarity_transforms,
)

Array = NDArray[np.float64]
finite = st.floats(-500, 500, allow_nan=False)


def turned(angle: float, scale: float, x: float, y: float) -> Array:
    """The template turned, scaled and shifted: what a photo's landmarks may be."""
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return TEMPLATE @ (scale * rotation).T + [x, y]


def least_squares(points: Array) -> Array:
    """The same fit as four linear unknowns: an oracle that shares no formula."""
    rows, goals = [], []
    for (x, y), (u, v) in zip(points, TEMPLATE, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        goals += [u, v]
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.array(goals), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])


@given(st.floats(-np.pi, np.pi), st.floats(0.05, 20), finite, finite)
def test_any_similarity_of_the_template_is_undone(angle: float, scale: float, x: float, y: float) -> None:
    points = turned(angle, scale, x, y)
    matrix = similarity_transform(points)
    assert np.allclose(points @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=1e-6)


@given(st.lists(st.tuples(finite, finite), min_size=5, max_size=5))
def test_it_is_the_least_squares_fit_and_a_batch_is_its_parts(points: list[tuple[float, float]]) -> None:
    landmarks = np.array(points)
    if np.ptp(landmarks, axis=0).max() < 5:
        return
    expected = least_squares(landmarks)
    if np.abs(expected[:, :2]).max() < 1e-6:
        return
    both = similarity_transforms(np.stack([landmarks, TEMPLATE]))
    assert np.allclose(both[0], expected, atol=1e-5)
    assert np.allclose(both[1], [[1, 0, 0], [0, 1, 0]], atol=1e-9)


@pytest.mark.parametrize(
    "landmarks",
    [np.zeros((5, 2)), np.full((5, 2), 7.25), np.full((5, 2), np.nan), np.full((5, 2), np.inf), TEMPLATE * 1e-3],
)
def test_degenerate_landmarks_have_a_clear_error(landmarks: Array) -> None:
    assert degenerate(landmarks[None]).all()
    with pytest.raises(DegenerateLandmarks, match="face 0") as caught:
        similarity_transform(landmarks)
    assert caught.value.code == "degenerate_landmarks"


@pytest.mark.parametrize("shape", [(5, 2), (1, 4, 2), (1, 5, 3)])
def test_landmarks_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DegenerateLandmarks, match="shape"):
        similarity_transforms(np.ones(shape))


@pytest.mark.parametrize(
    "image",
    [np.zeros((50, 50), np.uint8), np.zeros((50, 50, 4), np.uint8), np.zeros((50, 50, 3)), np.zeros((0, 5, 3), "u1")],
)
def test_an_image_of_another_kind_is_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(InvalidInput, match="uint8"):
        align(image, TEMPLATE)


def test_no_faces_give_no_crops() -> None:
    assert align_all(np.zeros((9, 9, 3), np.uint8), np.empty((0, 5, 2))).shape == (0, 112, 112, 3)


@pytest.mark.parametrize("scale", [0.3, 1.0, 1.9, 2.1, 5.0, 11.3])
@pytest.mark.parametrize("angle", [0.0, 0.6, -2.4])
def test_every_crop_pixel_comes_from_where_the_transform_says(scale: float, angle: float) -> None:
    side = int(200 * max(scale, 1))
    steep = 1.2 / scale  # grey levels per source pixel, so 1.2 per pixel of the crop
    rows, columns = (np.mgrid[0:side, 0:side] - side / 2) * steep + 128
    ramp = np.clip(np.stack([columns, rows, (columns + rows) / 2], axis=2), 0, 255)
    points = turned(angle, scale, 0, 0)
    points += side / 2 - points.mean(axis=0)
    crop = align(np.round(ramp).astype(np.uint8), points).astype(float)

    matrix = similarity_transform(points)
    v, u = np.mgrid[0:112, 0:112]
    source = (np.stack([u, v], axis=2) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    x, y = ((source - side / 2) * steep + 128).transpose(2, 0, 1)
    expected = np.stack([x, y, (x + y) / 2], axis=2)
    inside = ((expected > 3) & (expected < 252)).all(axis=2)
    error = (crop - expected)[inside]
    assert inside.mean() > 0.5
    assert np.abs(error).max() < 1.6
    assert np.abs(error.mean(axis=0)).max() < 0.12  # a tenth of a crop pixel


def test_fine_detail_of_a_large_face_is_averaged_not_aliased() -> None:
    chequers = (np.indices((1200, 1200)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop = align(np.repeat(chequers[:, :, None], 3, axis=2), TEMPLATE * 9.3 + 40)
    assert abs(float(crop[8:-8, 8:-8].mean()) - 127.5) < 2
    assert float(crop[8:-8, 8:-8].std()) < 6


def test_a_face_over_the_edge_is_black_outside_and_whole_inside() -> None:
    white = np.full((400, 400, 3), 255, np.uint8)
    for scale in (1.0, 4.0):
        crop = align(white, TEMPLATE * scale - [56 * scale, 0])
        assert crop[:, :54].max() == 0
        assert crop[4:90, 60:].min() > 250
    assert align(white, TEMPLATE * 5 + 9000).max() == 0
