"""Edges by FAISS's float32 products, tile by tile: what every machine can do."""

from __future__ import annotations

import math

import faiss
import numpy as np

from annotation.clustering.edges import Edges, Found, Spend
from annotation.clustering.vectors import Vectors, dot_error, pair_distances
from foundation.errors import InvalidInput

LARGEST_TILE = 4096  # rows; larger tiles are no faster
BYTES_PER_HIT = 40  # of scratch for one pair of a tile: FAISS's partial and final results, our indexes


class TileSearch:
    """FAISS proposes pairs with its float32 products, whose error is bounded; `pair_distance` settles each."""

    def __init__(self, vectors: Vectors, max_distance: float, memory_bytes: int) -> None:
        self._vectors, self._max_distance, self._tile = vectors, max_distance, tile_rows(memory_bytes)
        self.blocks = math.ceil(len(vectors) / self._tile)
        self.total = self.blocks * (self.blocks + 1) // 2
        self.scratch_bytes = BYTES_PER_HIT * self._tile * self._tile

    def edges(self, spend: Spend) -> Found:
        """See `Search`: a block's columns come in ascending tiles."""
        for column in range(self.blocks):
            index = faiss.IndexFlatIP(self._vectors.shape[1])
            index.add(self._vectors[column * self._tile : (column + 1) * self._tile])
            for row in range(column + 1):
                edges = self._search(index, row * self._tile, column * self._tile)
                spend(len(edges[0]))
                yield row, 1, [edges]

    def _search(self, index: faiss.IndexFlatIP, row: int, column: int) -> Edges:
        queries = self._vectors[row : row + self._tile]
        # FAISS keeps what is strictly above its radius; the slack covers its rounding and float32's of the threshold.
        radius = 1 - self._max_distance - dot_error(self._vectors.shape[1]) - 2**-20
        limits, _, hits = index.range_search(queries, radius)
        rows = np.repeat(np.arange(row, row + len(queries), dtype=np.int32), np.diff(limits).astype(np.int64))
        columns = hits.astype(np.int32) + np.int32(column)
        if row == column:
            upper = rows < columns
            rows, columns = rows[upper], columns[upper]
        distances = pair_distances(self._vectors, rows, columns)
        near = distances <= np.float32(self._max_distance)
        rows, columns, distances = rows[near], columns[near], distances[near]
        order = np.argsort(rows.astype(np.int64) << 32 | columns.astype(np.int64))  # FAISS promises no order
        return rows[order], columns[order], distances[order]


def tile_rows(memory_bytes: int) -> int:
    """How long a square tile's side may be, so that its pairs, all of them near, take half of the memory."""
    rows = min(LARGEST_TILE, math.isqrt(memory_bytes // 2 // BYTES_PER_HIT))
    if rows < 64:
        raise InvalidInput(f"{memory_bytes} bytes are too few to search for neighbours in.", code="memory_too_small")
    return rows
