"""How well a release tells apart the people of one split of a dataset version: clean, degraded and in slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.exporters.parquet import read_manifest
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent
from models_zoo.embedding import Embedder
from models_zoo.evaluation import FaceSet, Trial, label_free_trial, verification_trial
from models_zoo.training.dataset import CropReader, read_training_set
from synthesis.effects import item_rng, reshoot_crop

FAR = 1e-3
CLEAN, DEGRADED, BOTH = "clean_clean", "degraded_clean", "degraded_degraded"
SLICES = (CLEAN, DEGRADED, BOTH)
LABEL_FREE = "label_free"
# What a round is for: its gain decides, at a rate that some twenty people kept out for choosing can tell. At FAR their
# threshold rests on a handful of pairs, and a gain of five points would drown in chance.
PRIMARY = (DEGRADED, LABEL_FREE)
GATE_FAR = 1e-2
BATCH = 256
RESHOOTS = 2
# Judging without labels needs no more faces than this; pairs grow with their square.
LABEL_FREE_FACES = 1500
SEED = 7


@dataclass(frozen=True)
class Crops:
    """The crops of a split, clean ones and degraded ones apart.

    Attributes:
        clean, degraded: uint8 RGB (n, 112, 112, 3) and (m, 112, 112, 3).
        clean_people, degraded_people: who; numbers that mean nothing outside this split.
        clean_sources, degraded_sources: the photo that each crop comes from; a copy has its original's number.
        photos: (n,) number of the photo of each clean crop, for label-free pairs.
        labelled: whether people are known from labels that no model gave.
    """

    clean: NDArray[np.uint8]
    degraded: NDArray[np.uint8]
    clean_people: NDArray[np.int64]
    degraded_people: NDArray[np.int64]
    clean_sources: NDArray[np.int64]
    degraded_sources: NDArray[np.int64]
    photos: NDArray[np.int64]
    labelled: bool


def read_crops(directory: Path, split: str) -> Crops:
    """The crops of `split` in a materialised version.

    Where the version has degraded copies of photos, they are the degraded ones; elsewhere every clean crop is re-shot,
    the same way each time.

    Raises:
        InvalidInput: the split has no face.
    """
    columns = ["face_digest", "identity", "photo_digest", "source_digest"]
    table = read_manifest(directory / "manifest.parquet", splits=[split], columns=[*columns, "split"])
    rows = {name: np.array(table.column(name).to_pylist(), dtype=object) for name in columns}
    if not len(rows["face_digest"]):
        raise InvalidInput(f"The version has no faces in {split}.", code="empty_split")
    faces = read_training_set(directory, splits=[split])
    with CropReader(faces) as reader:
        crops = np.stack([reader.read(index) for index in range(len(faces))])
    people = _numbers([str(name) for name in rows["identity"]])
    sources = _numbers(list(rows["source_digest"]))
    copy = np.array(rows["photo_digest"] != rows["source_digest"], dtype=bool)
    clean = ~copy
    if copy.any():
        degraded, degraded_people, degraded_sources = crops[copy], people[copy], sources[copy]
    else:
        degraded = np.stack([reshoot_crop(crop, item_rng(SEED, row)) for row, crop in enumerate(crops)])
        degraded_people, degraded_sources = people, sources
    return Crops(
        clean=crops[clean],
        degraded=degraded,
        clean_people=people[clean],
        degraded_people=degraded_people,
        clean_sources=sources[clean],
        degraded_sources=degraded_sources,
        photos=_numbers(list(rows["photo_digest"]))[clean],
        labelled=bool(faces.told.all()),
    )


def trials(crops: Crops, embedder: Embedder, *, progress: Progress = silent) -> tuple[dict[str, Trial], str]:
    """Trials per slice, and in words what they rest on. Without labels there is one slice, `label_free`."""
    total = len(crops.clean) + len(crops.degraded)
    clean = _embed(embedder, crops.clean, lambda done: progress(done, total))
    if not crops.labelled:
        return _label_free(crops, clean, embedder)
    degraded = _embed(embedder, crops.degraded, lambda done: progress(len(clean) + done, total))
    gallery = FaceSet(clean, crops.clean_people, crops.clean_sources)
    probes = FaceSet(degraded, crops.degraded_people, crops.degraded_sources)
    made = {
        CLEAN: verification_trial(gallery, far=FAR),
        DEGRADED: verification_trial(probes, gallery, far=GATE_FAR),
        BOTH: verification_trial(probes, far=FAR),
    }
    return made, "labels that people gave or that came with the photos"


def _label_free(crops: Crops, clean: NDArray[np.float32], embedder: Embedder) -> tuple[dict[str, Trial], str]:
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(clean))[:LABEL_FREE_FACES])
    shots = [
        _embed(embedder, np.stack([reshoot_crop(crops.clean[row], item_rng(SEED, int(row), take)) for row in chosen]))
        for take in range(RESHOOTS)
    ]
    trial, basis = label_free_trial(
        clean[chosen],
        np.stack(shots, axis=1),
        crops.photos[chosen],
        far=FAR,
        apart=crops.clean_people[chosen],
        seed=SEED,
    )
    return {LABEL_FREE: trial}, f"no labels: genuine pairs are a face and its re-shoots, impostors are {basis}"


def _embed(embedder: Embedder, crops: NDArray[np.uint8], progress: Any = None) -> NDArray[np.float32]:
    parts = []
    for start in range(0, len(crops), BATCH):
        parts.append(embedder.embed(crops[start : start + BATCH]))
        if progress is not None:
            progress(min(start + BATCH, len(crops)))
    return np.concatenate(parts)


def _numbers(names: Sequence[Any]) -> NDArray[np.int64]:
    return np.unique(np.array(names, dtype=str), return_inverse=True)[1].astype(np.int64)
