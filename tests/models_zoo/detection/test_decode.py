from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models_zoo.detection.base import Detections
from models_zoo.detection.decode import STRIDES, decode, joined, suppress

WIDTH, HEIGHT = 96, 64


def made_up(seed: int, count: int) -> Detections:
    rng = np.random.default_rng(seed)
    boxes = np.column_stack([rng.uniform(0, 60, (count, 2)), rng.uniform(5, 40, (count, 2))]).astype(np.float32)
    landmarks = rng.uniform(0, 90, (count, 5, 2)).astype(np.float32)
    return Detections(boxes, landmarks, ((rng.permutation(count) + 1) / max(count, 1)).astype(np.float32))


def iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    common = float(np.prod(np.clip(high - low, 0, None)))
    return common / float(a[2] * a[3] + b[2] * b[3] - common)


def greedy(found: Detections, limit: float) -> list[int]:
    """Suppression as the textbook has it."""
    kept: list[int] = []
    for row in np.argsort(-found.scores):
        if all(iou(found.boxes[row], found.boxes[other]) <= limit for other in kept):
            kept.append(int(row))
    return kept


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 25), st.sampled_from([0.2, 0.3, 0.5]))
def test_suppression_is_the_textbooks_and_ends_with_the_best_first(seed: int, count: int, limit: float) -> None:
    found = made_up(seed, count)
    kept = suppress(found, iou=limit, most=1000)
    assert np.array_equal(kept.boxes, found.boxes[greedy(found, limit)])
    assert (np.diff(kept.scores) <= 0).all()


def test_suppression_keeps_at_most_so_many_and_the_best_of_them() -> None:
    found = Detections(
        np.array([[40 * i, 0, 10, 10] for i in range(9)], np.float32),
        np.zeros((9, 5, 2), np.float32),
        np.linspace(0.1, 0.9, 9).astype(np.float32),
    )
    assert np.allclose(suppress(found, iou=0.3, most=4).scores, [0.9, 0.8, 0.7, 0.6])


def test_a_cell_becomes_the_box_and_points_that_yunet_means() -> None:
    maps = {}
    for stride in STRIDES:
        cells = (WIDTH // stride) * (HEIGHT // stride)
        for kind, size in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            maps[f"{kind}_{stride}"] = np.zeros((2, cells, size), np.float32)
    cell = 2 * (WIDTH // 16) + 3  # column 3, row 2 of stride 16
    maps["cls_16"][1, cell], maps["obj_16"][1, cell] = 0.9, 0.4
    maps["bbox_16"][1, cell] = [0.5, -0.25, np.log(2), np.log(3)]
    maps["kps_16"][1, cell] = np.arange(10)
    assert len(decode(maps, 0, WIDTH, threshold=0.1)) == 0
    assert len(decode(maps, 1, WIDTH, threshold=0.601)) == 0
    found = decode(maps, 1, WIDTH, threshold=0.599)
    assert np.allclose(found.scores, 0.6)
    assert np.allclose(found.boxes, [[3.5 * 16 - 16, 1.75 * 16 - 24, 32, 48]])
    assert np.allclose(found.landmarks[0], (np.arange(10).reshape(5, 2) + np.array([3, 2])) * 16)


def test_two_looks_are_joined_in_order() -> None:
    a, b = made_up(1, 3), made_up(2, 4)
    both = joined(a, b)
    assert np.array_equal(both.scores, np.concatenate([a.scores, b.scores]))
    assert np.array_equal(both.landmarks[3:], b.landmarks)
