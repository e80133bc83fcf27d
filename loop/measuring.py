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
from models_zoo.evaluation import FaceSet, Trial, error_versus_reject, label_free_trial, verification_trial
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
REJECTION_FACES = 2000
# Judging without labels needs no more faces than this; pairs grow with their square.
LABEL_FREE_FACES = 1500
SEED = 7


@dataclass(frozen=True)
class Crops:
    """The crops of a split, clean ones and degraded ones apart.

    Attributes:
        clean, degraded: uint8 RGB (n, 112, 112, 3) and (m, 112, 112, 3); m is 0 without labels.
        clean_people, degraded_people: who; numbers that mean nothing outside this split.
        clean_sources, degraded_sources: the photo that each crop comes from; a copy has its original's number.
        clean_quality, degraded_quality: (n,) and (m,) float32, 0..1; of crops re-shot here, their original's.
        photos: (n,) number of the photo of each clean crop, for label-free pairs.
        labelled: whether people are known from labels that no model gave.
    """

    clean: NDArray[np.uint8]
    degraded: NDArray[np.uint8]
    clean_people: NDArray[np.int64]
    degraded_people: NDArray[np.int64]
    clean_sources: NDArray[np.int64]
    degraded_sources: NDArray[np.int64]
    clean_quality: NDArray[np.float32]
    degraded_quality: NDArray[np.float32]
    photos: NDArray[np.int64]
    labelled: bool


def read_crops(directory: Path, split: str) -> Crops:
    """The crops of `split` in a materialised version.

    Where the version has degraded copies of photos, they are the degraded ones; elsewhere every clean crop is re-shot,
    the same way each time. Where labels are a model's, a draw of LABEL_FREE_FACES clean crops is all that is read.

    Raises:
        InvalidInput: the split has no face.
    """
    columns = ["face_digest", "identity", "photo_digest", "source_digest", "quality"]
    table = read_manifest(directory / "manifest.parquet", splits=[split], columns=[*columns, "split"])
    rows = {name: np.array(table.column(name).to_pylist(), dtype=object) for name in columns}
    if not len(rows["face_digest"]):
        raise InvalidInput(f"The version has no faces in {split}.", code="empty_split")
    faces = read_training_set(directory, splits=[split])
    labelled = bool(faces.told.all())
    people = _numbers([str(name) for name in rows["identity"]])
    sources = _numbers(list(rows["source_digest"]))
    copy = np.array(rows["photo_digest"] != rows["source_digest"], dtype=bool)
    clean = np.flatnonzero(~copy)
    low = np.flatnonzero(copy) if copy.any() else clean
    if not labelled:
        clean, low = _drawn(clean, LABEL_FREE_FACES), low[:0]
    with CropReader(faces) as reader:
        clean_crops = _read(reader, clean)
        if copy.any():
            degraded = _read(reader, low)
        else:
            shots = zip(clean_crops[: len(low)], low.tolist(), strict=True)
            degraded = _stack([reshoot_crop(crop, item_rng(SEED, row)) for crop, row in shots])
    return Crops(
        clean=clean_crops,
        degraded=degraded,
        clean_people=people[clean],
        degraded_people=people[low],
        clean_sources=sources[clean],
        degraded_sources=sources[low],
        clean_quality=rows["quality"][clean].astype(np.float32),
        degraded_quality=rows["quality"][low].astype(np.float32),
        photos=_numbers(list(rows["photo_digest"]))[clean],
        labelled=labelled,
    )


@dataclass(frozen=True)
class Judged:
    """One release on one split.

    Attributes:
        trials: per slice; without labels there is one, `label_free`.
        basis: in words, what they rest on.
        rejection: what leaving out faces of low quality does, {"reject": shares of pairs, "error": false non-match
            rate at FAR}; empty without labels.
    """

    trials: dict[str, Trial]
    basis: str
    rejection: dict[str, list[float]]


def judge(crops: Crops, embedder: Embedder, *, progress: Progress = silent) -> Judged:
    """Embed the crops, and compare them with each other."""
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
    basis = "labels that people gave or that came with the photos"
    return Judged(made, basis, _rejection(crops, clean, degraded))


def _rejection(crops: Crops, clean: NDArray[np.float32], degraded: NDArray[np.float32]) -> dict[str, list[float]]:
    """Over the pairs of a degraded and a clean face, at most REJECTION_FACES of each."""
    rng = np.random.default_rng(SEED)
    a = np.sort(rng.permutation(len(degraded))[:REJECTION_FACES])
    b = np.sort(rng.permutation(len(clean))[:REJECTION_FACES])
    apart = crops.degraded_sources[a][:, None] != crops.clean_sources[b]
    same = (crops.degraded_people[a][:, None] == crops.clean_people[b])[apart]
    if same.all() or not same.any():
        return {}
    quality = np.minimum(crops.degraded_quality[a][:, None], crops.clean_quality[b])[apart]
    curve = error_versus_reject((degraded[a] @ clean[b].T)[apart], same, quality, FAR)
    return {"reject": [point["reject"] for point in curve], "error": [point["fnmr"] for point in curve]}


def _label_free(crops: Crops, clean: NDArray[np.float32], embedder: Embedder) -> Judged:
    shots = [
        _embed(
            embedder, np.stack([reshoot_crop(crop, item_rng(SEED, row, take)) for row, crop in enumerate(crops.clean)])
        )
        for take in range(RESHOOTS)
    ]
    trial, basis = label_free_trial(
        clean, np.stack(shots, axis=1), crops.photos, far=FAR, apart=crops.clean_people, seed=SEED
    )
    basis = f"no labels: genuine pairs are a face and its re-shoots, impostors are {basis}"
    return Judged({LABEL_FREE: trial}, basis, {})


def _embed(embedder: Embedder, crops: NDArray[np.uint8], progress: Any = None) -> NDArray[np.float32]:
    parts = []
    for start in range(0, len(crops), BATCH):
        parts.append(embedder.embed(crops[start : start + BATCH]))
        if progress is not None:
            progress(min(start + BATCH, len(crops)))
    return np.concatenate(parts)


def _drawn(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return np.sort(np.random.default_rng(SEED).permutation(rows)[:most])


def _read(reader: CropReader, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    return _stack([reader.read(row) for row in rows.tolist()])


def _stack(crops: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack(crops) if crops else np.empty((0, 112, 112, 3), np.uint8)


def _numbers(names: Sequence[Any]) -> NDArray[np.int64]:
    return np.unique(np.array(names, dtype=str), return_inverse=True)[1].astype(np.int64)
