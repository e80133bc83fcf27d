"""The vectors of one space with what clustering and mining need to know about their faces, pack by pack."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.models import EmbeddingSpace, Face, PackVectors
from annotation.queries.picture_access import held_out
from foundation import blobs
from foundation.errors import Conflict
from foundation.progress import Progress, silent

CHUNK = 20_000


@dataclass(frozen=True)
class FaceVectors:
    """Faces of the pool in one space, by rising id.

    Attributes:
        face_ids: (n,) int64.
        photo_ids: (n,) int64.
        groups: (n,) int64, the photo's near-duplicate group (its own id where it has none).
        quality: (n,) float32, 0..1.
        vectors: (n, d) float32, L2-normalised.
        without: faces of the pool that have no vector in the space.
    """

    face_ids: NDArray[np.int64]
    photo_ids: NDArray[np.int64]
    groups: NDArray[np.int64]
    quality: NDArray[np.float32]
    vectors: NDArray[np.float32]
    without: int


def load_vectors(space: EmbeddingSpace, *, leave_out: Collection[int] = (), progress: Progress = silent) -> FaceVectors:
    """Every face of the pool, but those in held-out collections and in `leave_out`.

    Each pack's file is read once, from front to back. Raises Conflict if a file does not fit the space.
    """
    rows = Face.objects.exclude(held_out("photo_id")).order_by("pk")
    fields = ("pk", "photo_id", "photo__duplicate_group", "quality", "pack_id", "row")
    left_out = set(leave_out)
    table = [
        (face, photo, group or photo, quality, pack, row)
        for face, photo, group, quality, pack, row in rows.values_list(*fields).iterator(chunk_size=CHUNK)
        if face not in left_out
    ]
    whole = np.array([(f, p, g, pack, row) for f, p, g, _, pack, row in table], np.int64).reshape(-1, 5)
    quality = np.array([entry[3] for entry in table], np.float32)
    vectors = np.zeros((len(whole), space.dimension), np.float32)
    found = np.zeros(len(whole), np.bool_)
    _fill(space, whole[:, 3], whole[:, 4], vectors, found, progress)
    if not found.all():
        vectors = vectors[found]
    kept = whole[found]
    return FaceVectors(kept[:, 0], kept[:, 1], kept[:, 2], quality[found], vectors, int((~found).sum()))


def _fill(
    space: EmbeddingSpace,
    pack: NDArray[np.int64],
    row: NDArray[np.int64],
    vectors: NDArray[np.float32],
    found: NDArray[np.bool_],
    progress: Progress,
) -> None:
    order = np.argsort(pack, kind="stable")
    packs, starts = np.unique(pack[order], return_index=True)
    places = dict(zip(packs.tolist(), np.split(order, starts[1:]), strict=True)) if len(packs) else {}
    files = list(PackVectors.objects.filter(space=space, pack__in=packs.tolist()).order_by("pk"))
    for done, file in enumerate(files, 1):
        stored = np.load(blobs.local_path(file.blob), mmap_mode="r", allow_pickle=False)
        rows = places[file.pack_id]
        if stored.ndim != 2 or stored.shape[1] != space.dimension or row[rows].max() >= len(stored):
            raise Conflict(f"The vectors of pack {file.pack_id} don't fit space {space.pk}.", code="vectors_do_not_fit")
        vectors[rows] = stored[row[rows]]
        found[rows] = True
        progress(done, len(files))
