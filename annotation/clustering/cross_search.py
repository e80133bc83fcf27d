"""Exact range search of some vectors among others, tile by tile: what `range_graph` is for one set, for two."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import faiss
import numpy as np
import numpy.typing as npt

from annotation.clustering.tile_search import tile_rows
from annotation.clustering.vectors import Indexes, Vectors, dot_error, pair_distances
from foundation.progress import Progress, silent


class Tile(NamedTuple):
    """Near pairs of a tile.

    Attributes:
        rows, others: int64 (e,), the pairs, in no order.
        distances: float32 (e,), cosine distances.
    """

    rows: Indexes
    others: Indexes
    distances: npt.NDArray[np.float32]


def near_pairs(
    vectors: Vectors,
    some: Indexes,
    others: Indexes,
    max_distance: float,
    *,
    memory_bytes: int,
    progress: Progress = silent,
) -> Iterator[Tile]:
    """Every pair of a row of `some` and a row of `others` within a cosine distance, a tile at a time.

    FAISS's float32 products, whose error is bounded, propose; `pair_distance` settles each pair, so that the result is
    that of `range_graph` on the same two rows.

    Args:
        vectors: float32 (n, d), no longer than 1.
        some, others: rows of `vectors`, each at most once.
        memory_bytes: one tile's scratch takes half of it at most.
        progress: counts tiles; what it raises stops the search.
    """
    tile = tile_rows(memory_bytes)
    radius = 1 - max_distance - dot_error(vectors.shape[1]) - 2**-20
    total = math.ceil(len(some) / tile) * math.ceil(len(others) / tile)
    done = 0
    progress(0, total)
    for column in range(0, len(others) if len(some) else 0, tile):
        columns = others[column : column + tile]
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors[columns])
        for row in range(0, len(some), tile):
            rows = some[row : row + tile]
            limits, _, hits = index.range_search(vectors[rows], radius)
            a, b = np.repeat(rows, np.diff(limits).astype(np.int64)), columns[hits]
            distances = pair_distances(vectors, a, b)
            near = distances <= np.float32(max_distance)
            yield Tile(a[near], b[near], distances[near])
            done += 1
            progress(done, total)
