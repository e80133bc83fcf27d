from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.alignment import TEMPLATE, align
from models_zoo.detection import YuNet
from models_zoo.quality import Quality, measure
from synthesis.effects.recipes import degrade
from tests.models_zoo.drawn import LANDMARKS, drawn_face
from tests.models_zoo.photos import lfw_sample

Array = NDArray[np.float32]


def of(crops: list[NDArray[np.uint8]], landmarks: list[Array] | None = None, score: float = 0.95) -> Quality:
    points = np.stack(landmarks or [LANDMARKS] * len(crops)).astype(np.float32)
    return measure(np.stack(crops), points, np.full(len(crops), score, np.float32))


@pytest.fixture(scope="module")
def crop() -> NDArray[np.uint8]:
    return align(drawn_face(), LANDMARKS)


def head(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, eyes_px: float = 60.0) -> Array:
    """Landmarks of a head turned so many degrees, seen from far away; its nose stands out by half an eye distance."""
    flat = (TEMPLATE - TEMPLATE.mean(axis=0)) / np.linalg.norm(TEMPLATE[1] - TEMPLATE[0])
    points = np.column_stack([flat, [0, 0, 0.5, 0, 0]])
    a, b, c = np.radians([yaw, pitch, roll])
    around_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    around_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    around_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return ((points @ (around_z @ around_x @ around_y).T)[:, :2] * eyes_px + 300).astype(np.float32)


def test_measures_are_finite_in_range_and_one_per_face(crop: NDArray[np.uint8]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
    extremes = [crop, np.zeros_like(crop), np.full_like(crop, 255), *noise]
    found = of(extremes)
    for field in fields(found):
        column = getattr(found, field.name)
        assert column.dtype == np.float32 and column.shape == (6,)
        assert np.isfinite(column).all()
    assert ((found.quality >= 0) & (found.quality <= 1)).all()
    assert found.quality[0] > 3 * max(found.quality[1], found.quality[2])
    assert [row["quality"] for row in found.rows()] == found.quality.tolist()


@pytest.mark.parametrize("roll", [-150, -40, 0, 25, 90, 179])
def test_roll_is_the_angle_by_which_the_face_is_turned(crop: NDArray[np.uint8], roll: float) -> None:
    assert of([crop], [head(roll=roll)]).roll[0] == pytest.approx(roll, abs=0.1)


@pytest.mark.parametrize("angle", [-45, -20, 0, 10, 30])
def test_yaw_and_pitch_follow_the_heads_turn(crop: NDArray[np.uint8], angle: float) -> None:
    straight = of([crop], [head()])
    turned = of([crop, crop], [head(yaw=angle), head(pitch=angle)])
    assert turned.yaw[0] - straight.yaw[0] == pytest.approx(angle, abs=max(4, abs(angle) * 0.35))
    assert turned.pitch[1] - straight.pitch[0] == pytest.approx(angle, abs=max(5, abs(angle) * 0.4))
    assert abs(turned.pitch[0] - straight.pitch[0]) < 8
    assert abs(turned.yaw[1]) < 4


@pytest.mark.parametrize("eyes_px", [9.0, 35.0, 400.0])
def test_size_is_the_distance_of_the_eyes(crop: NDArray[np.uint8], eyes_px: float) -> None:
    assert of([crop], [head(eyes_px=eyes_px)]).size_px[0] == pytest.approx(eyes_px, rel=0.01)


def test_blur_darkness_flatness_smallness_turn_and_doubt_each_lower_quality(crop: NDArray[np.uint8]) -> None:
    base = of([crop])
    blurred = of([cv2.GaussianBlur(crop, (0, 0), 4)])
    assert blurred.sharpness[0] < 0.5 * base.sharpness[0]
    dark = of([(crop * 0.1).astype(np.uint8)])
    assert dark.brightness[0] == pytest.approx(0.1 * base.brightness[0], abs=1)
    flat = of([(crop * 0.1 + 120).astype(np.uint8)])
    assert flat.contrast[0] == pytest.approx(0.1 * base.contrast[0], abs=1)
    small = of([crop], [head(eyes_px=7)])
    turned = of([crop], [head(yaw=60)])
    doubtful = of([crop], score=0.4)
    for worse in (blurred, dark, flat, small, turned, doubtful):
        assert worse.quality[0] < 0.8 * base.quality[0]


def test_a_batch_is_its_faces_one_by_one(crop: NDArray[np.uint8]) -> None:
    crops = [crop, crop[:, ::-1].copy(), cv2.GaussianBlur(crop, (0, 0), 2)]
    landmarks = [head(), head(yaw=20, roll=10), head(pitch=-15, eyes_px=20)]
    together = of(crops, landmarks)
    for row in range(3):
        alone = of([crops[row]], [landmarks[row]])
        assert alone.rows()[0] == pytest.approx(together.rows()[row], rel=1e-5)


def test_no_faces_have_no_measures() -> None:
    nothing = measure(np.empty((0, 112, 112, 3), np.uint8), np.empty((0, 5, 2), np.float32), np.empty(0, np.float32))
    assert nothing.rows() == []


@pytest.mark.parametrize(("crops", "points", "scores"), [(2, 1, 1), (1, 2, 1), (1, 1, 2)])
def test_parts_that_do_not_fit_together_are_refused(crops: int, points: int, scores: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        measure(
            np.zeros((crops, 112, 112, 3), np.uint8),
            np.stack([LANDMARKS] * points),
            np.zeros(scores, np.float32),
        )
    assert caught.value.code == "bad_faces"


def test_degraded_photos_are_called_worse_than_clean_ones(test_data: Path, yunet_weights: Path) -> None:
    yunet, photos = YuNet(yunet_weights), lfw_sample(test_data, 120)
    pairs = []
    for row, photo in enumerate(photos):
        both = []
        for picture in (photo, degrade(photo, np.random.default_rng(row))):
            (found,) = yunet.detect([picture])
            best = found.landmarks[:1]
            both.append(float(measure(align(picture, best[0])[None], best, found.scores[:1]).quality[0]))
        pairs.append(both)
    clean, poor = np.array(pairs).T
    assert np.mean(clean > poor) > 0.95
