"""Crop packs: storing them, and reading crops back, whole packs in one sweep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from annotation.imaging.pack import Pack, read_pack, write_pack
from annotation.models import CropPack, Face
from foundation import blobs


def store_pack(*, members: Sequence[tuple[str, bytes]]) -> tuple[CropPack, Pack]:
    """Write (name, PNG) pairs as one pack; call it in the transaction that writes its faces.

    If that transaction fails, the blob stays behind and harms nothing.
    """
    pack = write_pack(members)
    key = blobs.put("packs", pack.data, expected=pack.digest)
    row = CropPack.objects.create(digest=pack.digest, blob=key, faces_count=len(members), bytes=len(pack.data))
    return row, pack


def read_crops(*, pack: CropPack) -> NDArray[np.uint8]:
    """All crops of a pack, (n, 112, 112, 3) uint8 RGB, row by row. Raises NotFound, CorruptPack."""
    with blobs.open(pack.blob) as stream:
        return read_pack(stream)


def read_png(*, face: Face) -> bytes:
    """The PNG of one crop, by one range read. Raises NotFound."""
    return blobs.read_range(face.pack.blob, face.offset, face.length)
