"""Reads a frozen dataset version: a Parquet manifest and content-addressed tar shards of aligned PNG crops."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from foundation.errors import InvalidInput

Crop = NDArray[np.uint8]
COLUMNS = ["face_digest", "identity", "label_source", "confidence", "split", "shard", "offset", "length", "weight"]
TOLD = ("human", "import")  # label sources that are no model's
EXTRA = "train_extra"  # the split of outside and synthetic faces


@dataclass(frozen=True)
class TrainingSet:
    """The faces of some splits of one or several versions, in the manifests' order.

    Attributes:
        digests: content digest of each face.
        identities: the person's key as text, None where nobody knows.
        told: bool (n,), whether a person said so, or the photos came with it.
        weights: float32 (n,), how much a face counts; 1 where the manifest says nothing.
        confidences: float32 (n,), 0..1, how sure its identity is; 1 where the manifest says nothing.
        extra: bool (n,), whether the face is of the split train_extra.
        made_from: digest of the face that each was made from, by its provenance's `source_face`; None for real ones.
        shards, offsets, lengths: where each crop's PNG bytes lie.
        files: the file of each shard.
        manifest_sha256: names the whole version, as the manifest names each shard by its digest.
    """

    digests: list[str]
    identities: list[str | None]
    told: NDArray[np.bool_]
    weights: NDArray[np.float32]
    confidences: NDArray[np.float32]
    extra: NDArray[np.bool_]
    made_from: list[str | None]
    shards: list[str]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    files: Mapping[str, Path]
    manifest_sha256: str

    def __len__(self) -> int:
        return len(self.digests)

    def classes(self, min_faces: int) -> NDArray[np.int64]:
        """Class number per face, -1 for faces of nobody or of people with fewer than `min_faces` faces.

        Classes are numbered by the people's keys in ascending order.
        """
        keys = np.array([identity or "" for identity in self.identities], dtype=object)
        names, inverse, counts = np.unique(keys.astype(str), return_inverse=True, return_counts=True)
        kept = (counts >= min_faces) & (names != "")
        numbers = np.where(kept, np.cumsum(kept) - 1, -1)
        classes: NDArray[np.int64] = numbers[inverse].astype(np.int64)
        return classes

    def teachers(self) -> NDArray[np.int64]:
        """int64 (n,), the row whose clean view says what each face should look like to the network.

        A synthetic face's is the one that it was made from, where that is among these; any other's is itself.
        """
        rows = {digest: row for row, digest in enumerate(self.digests)}
        found = [rows.get(origin, row) if origin else row for row, origin in enumerate(self.made_from)]
        return np.array(found, dtype=np.int64)

    def weighted(self, extra_weight: float) -> TrainingSet:
        """The same faces; those of train_extra count that many times as much as their manifest says."""
        weights = self.weights * np.where(self.extra, np.float32(extra_weight), np.float32(1))
        return replace(self, weights=weights)


def read_training_sets(roots: Sequence[Path]) -> TrainingSet:
    """The faces of the splits train and train_extra of the first version, and of train_extra of the others.

    Identities mean the same in all of them, as they do in one database.

    Raises:
        InvalidInput: as `read_training_set`, for any of them.
    """
    first, *others = [
        read_training_set(root, ("train", EXTRA) if number == 0 else (EXTRA,)) for number, root in enumerate(roots)
    ]
    if not others:
        return first
    everything = [first, *others]
    return TrainingSet(
        digests=[one for part in everything for one in part.digests],
        identities=[one for part in everything for one in part.identities],
        told=np.concatenate([part.told for part in everything]),
        weights=np.concatenate([part.weights for part in everything]),
        confidences=np.concatenate([part.confidences for part in everything]),
        extra=np.concatenate([part.extra for part in everything]),
        made_from=[one for part in everything for one in part.made_from],
        shards=[one for part in everything for one in part.shards],
        offsets=np.concatenate([part.offsets for part in everything]),
        lengths=np.concatenate([part.lengths for part in everything]),
        files={shard: file for part in everything for shard, file in part.files.items()},
        manifest_sha256=hashlib.sha256("".join(part.manifest_sha256 for part in everything).encode()).hexdigest(),
    )


def read_training_set(root: Path, splits: Sequence[str] = ("train", EXTRA)) -> TrainingSet:
    """The faces of `splits` of the dataset version at `root`, which holds `manifest.parquet` and `shards/`.

    Raises:
        InvalidInput: the manifest is missing, unreadable, or lacks columns; a shard is missing; or no face is left.
    """
    path = root / "manifest.parquet"
    table = _read_table(path)
    chosen = np.isin(np.array(table.column("split").to_pylist(), dtype=str), list(splits))
    rows: dict[str, list[Any]] = {name: table.column(name).filter(pa.array(chosen)).to_pylist() for name in COLUMNS}
    if not rows["face_digest"]:
        raise InvalidInput(f"The dataset has no face in the splits {', '.join(splits)}.", code="dataset_empty")
    for shard in sorted(set(rows["shard"])):
        if not shard_path(root, shard).is_file():
            raise InvalidInput(f"The dataset lacks its shard {shard}.", code="dataset_shard_missing")
    return TrainingSet(
        digests=rows["face_digest"],
        identities=[None if key is None else str(key) for key in rows["identity"]],
        told=np.isin(np.array(rows["label_source"], dtype=str), TOLD),
        weights=_or_one(rows["weight"]),
        confidences=_or_one(rows["confidence"]),
        extra=np.array(rows["split"], dtype=str) == EXTRA,
        made_from=_made_from(path, rows["split"], chosen),
        shards=rows["shard"],
        offsets=np.array(rows["offset"], dtype=np.int64),
        lengths=np.array(rows["length"], dtype=np.int64),
        files={shard: shard_path(root, shard) for shard in set(rows["shard"])},
        manifest_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def shard_path(root: Path, shard: str) -> Path:
    """Where the shard of this digest lies."""
    return root / "shards" / f"{shard}.tar"


class CropReader:
    """Reads single crops by one range read each. Safe to use from several threads."""

    def __init__(self, faces: TrainingSet) -> None:
        self._faces = faces
        self._files: dict[str, BinaryIO] = {}
        self._lock = threading.Lock()

    def read(self, index: int) -> Crop:
        """Crop of face `index`: uint8 RGB (112, 112, 3).

        Raises:
            InvalidInput: the bytes are no such picture; names the face.
        """
        faces = self._faces
        with self._lock:
            file = self._open(faces.shards[index])
            file.seek(int(faces.offsets[index]))
            data = file.read(int(faces.lengths[index]))
        picture: Any = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR) if data else None
        if picture is None or picture.shape != (112, 112, 3):
            raise InvalidInput(
                f"Face {faces.digests[index]} of the dataset is not a 112x112 picture.", code="dataset_crop_unreadable"
            )
        return np.ascontiguousarray(picture[..., ::-1])

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self) -> CropReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, shard: str) -> BinaryIO:
        if shard not in self._files:
            self._files[shard] = self._faces.files[shard].open("rb")
        return self._files[shard]


def _made_from(path: Path, splits: list[str], chosen: NDArray[np.bool_]) -> list[str | None]:
    """`source_face` of the provenance of each chosen row of train_extra."""
    if EXTRA not in splits or "provenance" not in pq.read_schema(path).names:
        return [None] * len(splits)
    texts = pq.read_table(path, columns=["provenance"]).column("provenance").filter(pa.array(chosen)).to_pylist()
    return [
        json.loads(text).get("source_face") if split == EXTRA and text else None
        for split, text in zip(splits, texts, strict=True)
    ]


def _or_one(values: list[float | None]) -> NDArray[np.float32]:
    return np.array([1.0 if value is None else value for value in values], dtype=np.float32)


def _read_table(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, columns=COLUMNS)
    except FileNotFoundError:
        raise InvalidInput(f"No manifest at {path}.", code="dataset_missing") from None
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"{path.name} is not a readable manifest: {error}", code="dataset_unreadable") from error
