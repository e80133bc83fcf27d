"""The pool for `benchmarks.aimed`: every photo as five cameras would have taken it, found and aligned as the loop does.

The cameras work on whole photos before detection and share no code with `synthesis.effects`: what is aimed must find
out about them from the quality measures alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.lfw import read
from models_zoo.alignment import align_all
from models_zoo.detection import Detections, YuNet
from synthesis.effects.seeds import item_rng

Photo = NDArray[np.uint8]
_CHUNK = 64


@dataclass(frozen=True)
class Pool:
    """Faces of some people.

    Attributes:
        crops: uint8 RGB (n, 112, 112, 3).
        landmarks: float32 (n, 5, 2) in the photo; scores: float32 (n,), the detector's.
        people: (n,) names; sources: (n,) number of the photo; cameras: (n,) names.
    """

    crops: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]
    people: NDArray[np.str_]
    sources: NDArray[np.int64]
    cameras: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.crops)

    def subset(self, rows: NDArray[Any]) -> Pool:
        return Pool(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def good(photo: Photo, rng: Generator) -> Photo:
    return photo


def far(photo: Photo, rng: Generator) -> Photo:
    """A small picture of a whole room: few pixels, kept as a JPEG."""
    scale = rng.uniform(0.16, 0.36)
    return _jpeg(_resized(photo, scale), int(rng.integers(60, 90)))


def shaken(photo: Photo, rng: Generator) -> Photo:
    """The camera turns and drifts while its shutter is open."""
    height, width = photo.shape[:2]
    drift, turn = rng.normal(0.0, 3.5, 2), rng.normal(0.0, 1.5)
    total = np.zeros(photo.shape, np.float32)
    for moment in np.linspace(-1.0, 1.0, 15):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn * moment, 1.0)
        matrix[:, 2] += drift * moment
        total += cv2.warpAffine(photo, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return _jpeg(np.rint(total / 15).astype(np.uint8), 85)


def night(photo: Photo, rng: Generator) -> Photo:
    """A lamp-lit street: few photons on the sensor, gain that does not make up for it, the maker's own smoothing."""
    light = (photo.astype(np.float32) / 255.0) ** 2.2 * np.array([1.0, rng.uniform(0.6, 0.9), rng.uniform(0.3, 0.7)])
    photons = 2.0 ** rng.uniform(3.0, 6.5)
    seen = (rng.poisson(light * photons) + rng.normal(0.0, 1.5, light.shape)) / photons
    kept = np.clip(seen * 2.0 ** rng.uniform(-4.0, -2.0), 0.0, 1.0) ** (1 / 2.2)
    return _jpeg(cv2.bilateralFilter(np.rint(kept * 255).astype(np.uint8), 5, 25.0, 2.0), int(rng.integers(60, 85)))


def backlit(photo: Photo, rng: Generator) -> Photo:
    """A window behind the person: stray light in the lens veils everything and the sky burns out."""
    light = (photo.astype(np.float32) / 255.0) ** 2.2
    veil = rng.uniform(0.3, 1.2)
    kept = np.clip((light * rng.uniform(0.4, 0.9) + veil) / (1.0 + 0.5 * veil), 0.0, 1.0) ** (1 / 2.2)
    return _jpeg(np.rint(kept * 255).astype(np.uint8), int(rng.integers(60, 90)))


CAMERAS: dict[str, Callable[[Photo, Generator], Photo]] = {
    "good": good,
    "far": far,
    "shaken": shaken,
    "night": night,
    "backlit": backlit,
}


def bucket(name: str) -> int:
    """0..9, by which people are told apart into those to train on, to choose with and to test on."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10


def load_pool(photos: Path, buckets: set[int], detector: YuNet, cache: Path, *, shots: tuple[str, ...]) -> Pool:
    """The faces of the people in `buckets`, taken by each of the cameras `shots`; kept in `cache` for the next time."""
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    kept = cache / f"aimed-{code}-{'_'.join(shots)}-{''.join(map(str, sorted(buckets)))}.npz"
    if kept.is_file():
        with np.load(kept) as saved:
            return Pool(**{field.name: saved[field.name] for field in fields(Pool)})
    paths = [path for path in sorted(photos.glob("*/*.jpg")) if bucket(path.parent.name) in buckets]
    found: list[dict[str, Any]] = []
    for start in range(0, len(paths), _CHUNK):
        part = list(enumerate(paths))[start : start + _CHUNK]
        taken = [(i, path, shot, _shot(path, shot)) for i, path in part for shot in shots]
        for (i, path, shot, photo), seen in zip(taken, detector.detect([one[3] for one in taken]), strict=True):
            if len(seen):
                one = seen.subset(np.array([_middle(seen, photo)]))
                face = {"crops": align_all(photo, one.landmarks)[0], "landmarks": one.landmarks[0]}
                found.append(
                    face | {"scores": one.scores[0], "people": path.parent.name, "sources": i, "cameras": shot}
                )
    pool = Pool(**{field.name: np.stack([one[field.name] for one in found]) for field in fields(Pool)})
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(kept, **{field.name: getattr(pool, field.name) for field in fields(Pool)})
    return pool


def _shot(path: Path, camera: str) -> Photo:
    seed = int(hashlib.sha256(f"{camera}/{path.parent.name}/{path.name}".encode()).hexdigest()[:12], 16)
    return CAMERAS[camera](read(path), item_rng(seed))


def _middle(found: Detections, photo: Photo) -> int:
    centres = found.boxes[:, :2] + found.boxes[:, 2:] / 2
    return int(np.abs(centres - np.array(photo.shape[1::-1]) / 2).sum(axis=1).argmin())


def _resized(photo: Photo, scale: float) -> Photo:
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(photo: Photo, quality: int) -> Photo:
    _, data = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
