"""LFW's official pairs as aligned faces, for the benchmarks that need them."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models_zoo.alignment import align_all
from models_zoo.detection import Detections, Detector
from models_zoo.quality import Quality, measure
from synthesis.effects.recipes import degrade
from synthesis.effects.seeds import digest_rng

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Pairs:
    """The faces of LFW's pairs that could be found.

    Attributes:
        people: the name of each face, (n,).
        crops: uint8 RGB (n, 112, 112, 3).
        quality: of each face.
        degraded: (n,) whether the photo was degraded before detection.
        rows: (m, 2) the official pairs, as rows of the above.
        same: (m,) whether they are of one person.
        missed: photos in which no face was found; their pairs are left out.
    """

    people: NDArray[np.str_]
    crops: NDArray[np.uint8]
    quality: Quality
    degraded: NDArray[np.bool_]
    rows: NDArray[np.intp]
    same: NDArray[np.bool_]
    missed: int


def read(path: Path) -> NDArray[np.uint8]:
    """uint8 RGB (h, w, 3)."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} is no picture that can be read")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def load_pairs(file: Path, detector: Detector, *, degraded: float = 0.0) -> Pairs:
    """Faces of the pairs listed in `file`, whose photos lie in `photos/` beside it.

    Args:
        degraded: share of the photos to degrade first; the same photos each time.
    """
    with file.open() as lines:
        listed = list(csv.DictReader(lines))
    names = sorted({row[side] for row in listed for side in ("photo_a", "photo_b")})
    chosen = {name: _share(name) < degraded for name in names}
    crops: list[NDArray[np.uint8]] = []
    landmarks: list[NDArray[np.float32]] = []
    scores: list[np.float32] = []
    row_of: dict[str, int] = {}
    for start in range(0, len(names), _CHUNK):
        part = names[start : start + _CHUNK]
        photos = [_photo(file.parent / "photos" / name, chosen[name]) for name in part]
        for name, photo, found in zip(part, photos, detector.detect(photos), strict=True):
            if len(found):
                one = found.subset(np.array([_middle(found, photo)]))
                row_of[name] = len(crops)
                crops.append(align_all(photo, one.landmarks)[0])
                landmarks.append(one.landmarks[0])
                scores.append(one.scores[0])
    pairs = [row for row in listed if row["photo_a"] in row_of and row["photo_b"] in row_of]
    stacked = np.stack(crops)
    return Pairs(
        people=np.array([name.partition("/")[0] for name in row_of]),
        crops=stacked,
        quality=measure(stacked, np.stack(landmarks), np.array(scores, np.float32)),
        degraded=np.array([chosen[name] for name in row_of]),
        rows=np.array([[row_of[row["photo_a"]], row_of[row["photo_b"]]] for row in pairs]),
        same=np.array([row["same"] == "1" for row in pairs]),
        missed=len(names) - len(crops),
    )


def accuracy(vectors: NDArray[np.float32], pairs: Pairs, *, folds: int = 10) -> float:
    """LFW's protocol: the share of pairs told apart in each fold by the threshold that is best in the others."""
    similarity = (vectors[pairs.rows[:, 0]] * vectors[pairs.rows[:, 1]]).sum(axis=1)
    fold = np.arange(len(similarity)) % folds
    cuts = np.linspace(-0.2, 1.0, 1201)
    right = ((similarity[:, None] > cuts) == pairs.same[:, None]).astype(np.float32)
    shares = [right[fold == one, right[fold != one].mean(axis=0).argmax()].mean() for one in range(folds)]
    return float(np.mean(shares))


def _share(name: str) -> float:
    return int.from_bytes(hashlib.sha256(f"degraded/{name}".encode()).digest()[:4], "big") / 2**32


def _photo(path: Path, spoil: bool) -> NDArray[np.uint8]:
    photo = read(path)
    if not spoil:
        return photo
    return np.asarray(degrade(photo, digest_rng(0, hashlib.sha256(path.read_bytes()).hexdigest())), np.uint8)


def _middle(found: Detections, photo: NDArray[np.uint8]) -> int:
    """The face in the middle: the named person."""
    centres = found.boxes[:, :2] + found.boxes[:, 2:] / 2
    return int(np.abs(centres - np.array(photo.shape[1::-1]) / 2).sum(axis=1).argmin())
