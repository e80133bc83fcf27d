"""Exact range graph: every pair of vectors within a cosine distance, found by FAISS in memory-bounded tiles."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt

from annotation.clustering.vectors import Vectors, check_vectors, dot_error, pair_distances
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent

DEFAULT_MEMORY = 4 << 30  # bytes
LARGEST_TILE = 4096  # rows; larger tiles are no faster
BYTES_PER_HIT = 40  # of scratch for one pair of a tile: FAISS's partial and final results, our indexes
BYTES_PER_EDGE = 24  # 12 while collected and 12 in the result, both alive at the end


@dataclass(frozen=True)
class RangeGraph:
    """All pairs (rows[e] < columns[e]) of n vectors with distance <= max_distance, sorted by row, then column.

    Attributes:
        rows, columns: int32 (e,).
        distances: float32 (e,), cosine distances.
    """

    n: int
    max_distance: float
    rows: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    distances: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)


def range_graph(
    vectors: Vectors, max_distance: float, *, memory_bytes: int = DEFAULT_MEMORY, progress: Progress = silent
) -> RangeGraph:
    """Finds every pair within `max_distance` (0 to 2), the upper triangle only.

    FAISS proposes pairs with its float32 products, whose error is bounded; `pair_distance` then settles each, so the
    edges depend neither on tiles nor on the BLAS. `progress` counts tiles; what it raises stops the search.

    Raises:
        InvalidInput: vectors that are not unit float32 rows; code `graph_too_dense` where the edges would not fit
            `memory_bytes`, which bounds everything that this function allocates.
    """
    vectors = check_vectors(vectors)
    check_distance(max_distance)
    tile = _tile_rows(memory_bytes)
    largest = (memory_bytes - BYTES_PER_HIT * tile * tile) // BYTES_PER_EDGE
    n, blocks = len(vectors), math.ceil(len(vectors) / tile)
    total, done, found = blocks * (blocks + 1) // 2, 0, 0
    chunks: list[list[_Edges]] = [[] for _ in range(blocks)]
    progress(0, total)
    for column in range(blocks):
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors[column * tile : (column + 1) * tile])
        for row in range(column + 1):
            edges = _search_tile(index, vectors, row * tile, column * tile, tile, max_distance)
            chunks[row].append(edges)
            found += len(edges[0])
            if found > largest:
                raise _too_dense(found, done + 1, total, memory_bytes, max_distance)
            done += 1
            progress(done, total)
    rows, columns, distances = _assemble(chunks, found)
    return RangeGraph(n, max_distance, rows, columns, distances)


def check_distance(distance: float) -> None:
    """Raises InvalidInput unless this is a cosine distance, 0 to 2."""
    if not 0 <= distance <= 2:
        raise InvalidInput(f"A cosine distance lies between 0 and 2, not at {distance}.", code="bad_threshold")


_Edges = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]


def _tile_rows(memory_bytes: int) -> int:
    rows = min(LARGEST_TILE, math.isqrt(memory_bytes // 2 // BYTES_PER_HIT))
    if rows < 64:
        raise InvalidInput(f"{memory_bytes} bytes are too few to search for neighbours in.", code="memory_too_small")
    return rows


def _search_tile(
    index: faiss.IndexFlatIP, vectors: Vectors, row: int, column: int, tile: int, max_distance: float
) -> _Edges:
    queries = vectors[row : row + tile]
    # FAISS keeps what is strictly above its radius; the slack covers its rounding and float32's of the threshold.
    radius = 1 - max_distance - dot_error(vectors.shape[1]) - 2**-20
    limits, _, hits = index.range_search(queries, radius)
    rows = np.repeat(np.arange(row, row + len(queries), dtype=np.int32), np.diff(limits).astype(np.int64))
    columns = hits.astype(np.int32) + np.int32(column)
    if row == column:
        upper = rows < columns
        rows, columns = rows[upper], columns[upper]
    distances = pair_distances(vectors, rows, columns)
    near = distances <= np.float32(max_distance)
    return rows[near], columns[near], distances[near]


def _assemble(chunks: list[list[_Edges]], found: int) -> _Edges:
    """One sorted edge list; each block of rows is let go as soon as it is copied."""
    rows, columns = np.empty(found, np.int32), np.empty(found, np.int32)
    distances = np.empty(found, np.float32)
    at = 0
    for i, j, distance in _sorted_blocks(chunks):
        here = slice(at, at + len(i))
        rows[here], columns[here], distances[here] = i, j, distance
        at += len(i)
    return rows, columns, distances


def _sorted_blocks(chunks: list[list[_Edges]]) -> Iterator[_Edges]:
    for block in range(len(chunks)):
        parts, chunks[block] = chunks[block], []
        i, j, distance = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        order = np.argsort(i.astype(np.int64) << 32 | j.astype(np.int64))
        yield i[order], j[order], distance[order]


def _too_dense(found: int, done: int, total: int, memory_bytes: int, max_distance: float) -> InvalidInput:
    return InvalidInput(
        f"Over {found:,} pairs lie within distance {max_distance:g} after {done} of {total} tiles; they do not fit "
        f"{memory_bytes / 2**20:,.0f} MiB. Use a stricter threshold or more memory.",
        code="graph_too_dense",
    )
