"""Edges by blocked products on an accelerator and an exact recheck on the CPU."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from annotation.clustering.edges import Edges, Found, Spend
from annotation.clustering.short_vectors import ShortVectors
from annotation.clustering.vectors import Vectors, pair_distances
from foundation.errors import InvalidInput

STRIP = 1024  # rows of a tile
LARGEST_TILE = 8192  # columns; more are no use
BYTES_PER_CANDIDATE = 48  # on the host: indexes from the device, int32 ones, distances, what is kept


class DeviceSearch:
    """The contract of `FilteredSearch` with the products and their comparison on a torch device.

    Not yet run on a GPU; the same code is tested with the CPU as torch's device.
    """

    def __init__(
        self, vectors: Vectors, max_distance: float, short: ShortVectors, device: str, memory_bytes: int
    ) -> None:
        check_device(device)
        self._vectors, self._max_distance, self._short, self._device = vectors, max_distance, short, device
        self._tile = min(LARGEST_TILE, max(1, memory_bytes // 4 // (BYTES_PER_CANDIDATE * STRIP)))
        self.blocks = math.ceil(len(vectors) / STRIP)
        self.total = sum(self._tiles(block) for block in range(self.blocks))
        self.scratch_bytes = 2 * len(vectors) * short.rows.shape[1] + BYTES_PER_CANDIDATE * STRIP * self._tile

    def edges(self, spend: Spend) -> Found:
        """See `Search`: blocks come in order."""
        short = self._short.rows.to(self._device)
        cut = self._short.cut(self._max_distance)
        with _float32_sums():
            for block in range(self.blocks):
                row = block * STRIP
                found = []
                for column in range(row, len(self._vectors), self._tile):
                    hits = (
                        (short[row : row + STRIP] @ short[column : column + self._tile].T >= cut)
                        .nonzero()
                        .cpu()
                        .numpy()
                    )
                    edges = self._settle(hits[:, 0] + row, hits[:, 1] + column)
                    spend(len(edges[0]))
                    found.append(edges)
                yield block, self._tiles(block), found

    def _tiles(self, block: int) -> int:
        return math.ceil((len(self._vectors) - block * STRIP) / self._tile)

    def _settle(self, rows: np.ndarray, columns: np.ndarray) -> Edges:
        upper = rows < columns
        rows, columns = rows[upper].astype(np.int32), columns[upper].astype(np.int32)
        distances = pair_distances(self._vectors, rows, columns)
        near = distances <= np.float32(self._max_distance)
        return rows[near], columns[near], distances[near]


def check_device(device: str) -> None:
    """Raises InvalidInput, code `device_unavailable`, unless torch can work on this device."""
    import torch

    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise InvalidInput(f"There is no {device} here; search on the CPU.", code="device_unavailable")


@contextmanager
def _float32_sums() -> Iterator[None]:
    """The margin is for sums in float32: no partial sums in bfloat16."""
    import torch

    matmul = torch.backends.cuda.matmul
    before = matmul.allow_bf16_reduced_precision_reduction
    matmul.allow_bf16_reduced_precision_reduction = False
    try:
        yield
    finally:
        matmul.allow_bf16_reduced_precision_reduction = before
