"""Exact range graph: every pair of vectors within a cosine distance, found in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotation.clustering.device_search import DeviceSearch, check_device
from annotation.clustering.edges import BYTES_PER_ROW, EdgeBudget, Edges, Search, assemble
from annotation.clustering.filtered_search import FilteredSearch, is_fast_here, scratch_bytes
from annotation.clustering.short_vectors import choose_width, principal_axes, short_vectors
from annotation.clustering.tile_search import TileSearch
from annotation.clustering.vectors import Vectors, check_vectors
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent

DEFAULT_MEMORY = 4 << 30  # bytes
LEAST_FILTERED = 20_000  # rows; below, the filter's preparation costs more than it saves


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
    vectors: Vectors,
    max_distance: float,
    *,
    memory_bytes: int = DEFAULT_MEMORY,
    device: str = "cpu",
    progress: Progress = silent,
) -> RangeGraph:
    """Finds every pair within `max_distance` (0 to 2), the upper triangle only.

    Fast arithmetic (FAISS's float32, torch's bfloat16 on the CPU or on `device`) only proposes pairs, by a proven
    bound on its error; `pair_distance` settles each, so the edges depend neither on tiles nor on the hardware.
    `progress` counts tiles; what it raises stops the search.

    Raises:
        InvalidInput: vectors that are not unit float32 rows; code `graph_too_dense` where the edges would not fit
            `memory_bytes`, which bounds everything that this function allocates; `device_unavailable`.
    """
    vectors = check_vectors(vectors)
    check_distance(max_distance)
    search = _search(vectors, max_distance, memory_bytes, device)
    budget = EdgeBudget(memory_bytes, search.scratch_bytes + BYTES_PER_ROW * len(vectors), max_distance)
    chunks: list[list[Edges]] = [[] for _ in range(search.blocks)]
    done = 0
    progress(0, search.total)
    found = search.edges(budget.spend)
    try:
        for block, tiles, edges in found:
            chunks[block] += edges
            done += tiles
            progress(done, search.total)
    finally:
        found.close()
    return RangeGraph(len(vectors), max_distance, *assemble(len(vectors), chunks))


def check_distance(distance: float) -> None:
    """Raises InvalidInput unless this is a cosine distance, 0 to 2."""
    if not 0 <= distance <= 2:
        raise InvalidInput(f"A cosine distance lies between 0 and 2, not at {distance}.", code="bad_threshold")


def _search(vectors: Vectors, max_distance: float, memory_bytes: int, device: str) -> Search:
    """The fastest search for these vectors, this machine and this memory; all find the same edges."""
    n, d = vectors.shape
    on_cpu = device == "cpu"
    if not on_cpu:
        check_device(device)
    if n >= LEAST_FILTERED and (not on_cpu or is_fast_here()):
        axes = principal_axes(vectors)
        width = choose_width(vectors, axes, max_distance)
        if scratch_bytes(n, d, width) <= memory_bytes // 2:
            short = short_vectors(vectors, axes, width)
            if not on_cpu:
                return DeviceSearch(vectors, max_distance, short, device, memory_bytes)
            if short.cut(max_distance) > 0:
                return FilteredSearch(vectors, max_distance, short)
    return TileSearch(vectors, max_distance, memory_bytes)
