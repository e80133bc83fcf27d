"""A folder with one sub-folder per person, mixed into one album and embedded; the folder names are only the truth."""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from annotation.clustering.vectors import Indexes, Vectors
from annotation.imaging.decode import decode
from models_zoo.alignment import align
from models_zoo.detection import YuNet
from models_zoo.embedding import open_embedder
from models_zoo.quality import measure
from models_zoo.specs import spec
from models_zoo.weights import fetch
from synthesis.effects.recipes import degrade
from synthesis.effects.seeds import digest_rng

JUDGING_BELOW = 4  # of sha256(name) % 10: people whom nothing is tuned on


@dataclass(frozen=True)
class Album:
    """What is in the photos.

    Attributes:
        vectors: float32 (n, d), unit rows, a face each.
        truth: int64 (n,), the person of each.
        missed: photos in which no face was found.
        quality: float32 (n,), 0 to 1, as measured of the crops and landmarks.
    """

    vectors: Vectors
    truth: Indexes
    missed: int
    quality: npt.NDArray[np.float32]


def embed_folder(folder: Path, arguments: argparse.Namespace) -> Album:
    """The middle face of every photo.

    Args:
        arguments: `degraded` share of the photos, `least_photos` per person, `weights` folder; `tuning`, if true,
            leaves out the people who are kept for judging.
    """
    people = [person for person in sorted(folder.iterdir()) if not (arguments.tuning and _judges(person.name))]
    photos = [photo for person in people for photo in _of_person(person, arguments.least_photos)]
    detector = YuNet(fetch(spec("yunet"), directory=arguments.weights))
    embedder = open_embedder(fetch(spec("sface"), directory=arguments.weights))
    crops, found, names = [], [], []
    for photo in photos:
        data = photo.read_bytes()
        image = decode(data).image
        face = _middle_face(detector, image)
        chance = digest_rng(0, hashlib.sha256(data).hexdigest())
        if face is not None and chance.random() < arguments.degraded:
            image = degrade(image, chance, face[0])
            face = _middle_face(detector, image)
        if face is not None:
            crops.append(align(image, face[0]))
            found.append(face)
            names.append(photo.parent.name)
    _, truth = np.unique(names, return_inverse=True)
    stacked = np.stack(crops)
    landmarks, scores = (np.array(values, np.float32) for values in zip(*found, strict=True))
    quality = measure(stacked, landmarks, scores).quality
    return Album(embedder.embed(stacked), truth.astype(np.int64), len(photos) - len(crops), quality)


def _judges(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10 < JUDGING_BELOW


def _of_person(person: Path, least: int) -> list[Path]:
    photos = sorted(person.glob("*.jpg"))
    return photos if len(photos) >= least else []


def _middle_face(detector: YuNet, image: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float64], float] | None:
    """Its landmarks and score."""
    found = detector.detect([image])[0]
    if not len(found):
        return None
    height, width = image.shape[:2]
    away = np.hypot(*(found.boxes[:, :2] + found.boxes[:, 2:] / 2 - np.array([width, height]) / 2).T)
    middle = int(np.argmin(away))
    return found.landmarks[middle].astype(np.float64), float(found.scores[middle])
