"""Reads real photos for tests."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def read(path: Path) -> NDArray[np.uint8]:
    """uint8 RGB (h, w, 3)."""
    return np.asarray(cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def lfw_sample(test_data: Path, step: int) -> list[NDArray[np.uint8]]:
    """Every `step`-th photo of LFW, by name."""
    return [read(path) for path in sorted((test_data / "lfw" / "photos").glob("*/*.jpg"))[::step]]


def lfw_pairs(test_data: Path, step: int) -> list[tuple[Path, Path, bool]]:
    """Every `step`-th official pair: two photos and whether they show one person."""
    with (test_data / "lfw" / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))[::step]
    photos = test_data / "lfw" / "photos"
    return [(photos / row["photo_a"], photos / row["photo_b"], row["same"] == "1") for row in rows]
