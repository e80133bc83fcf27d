"""Edges found so far: counted against the memory they may take, and put in order at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from foundation.errors import InvalidInput

BYTES_PER_EDGE = 24  # 12 while collected and 12 in the result, both alive at the end
BYTES_PER_ROW = 16  # of scratch for ordering: where each row's edges go

Edges = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]  # rows < columns, distances
Spend = Callable[[int], None]  # announces edges before they are kept; raises InvalidInput where they are too many
Found = Generator[tuple[int, int, list[Edges]], None, None]


class Search(Protocol):
    """A way to find the edges, block of rows by block of rows."""

    blocks: int
    total: int  # tiles
    scratch_bytes: int  # allocated beside the edges

    def edges(self, spend: Spend) -> Found:
        """Yields (block, tiles done since the last, edges) in any order of blocks; blocks hold ascending rows and
        within a block the edges of one row come with ascending columns. Closing the generator stops the search."""
        ...


class EdgeBudget:
    """Refuses what does not fit the memory; several threads may spend at once."""

    def __init__(self, memory_bytes: int, scratch_bytes: int, max_distance: float) -> None:
        self._largest = (memory_bytes - scratch_bytes) // BYTES_PER_EDGE
        self._memory_bytes, self._max_distance = memory_bytes, max_distance
        self._found, self._lock = 0, threading.Lock()

    def spend(self, count: int) -> None:
        """Raises InvalidInput, code `graph_too_dense`, where these edges are too many."""
        with self._lock:
            self._found += count
            if self._found > self._largest:
                raise InvalidInput(
                    f"Over {self._found:,} pairs lie within distance {self._max_distance:g}; they do not fit "
                    f"{self._memory_bytes / 2**20:,.0f} MiB. Use a stricter threshold or more memory.",
                    code="graph_too_dense",
                )


def assemble(n: int, chunks: list[list[Edges]]) -> Edges:
    """One edge list by row, then column; each block of `Search.edges` is let go as soon as it is copied."""
    begin = np.zeros(n + 1, np.int64)
    for rows, _, _ in (edges for block in chunks for edges in block):
        _count(rows, begin)
    np.cumsum(begin, out=begin)
    found, at = int(begin[-1]), begin[:-1].copy()
    edges = np.empty(found, np.int32), np.empty(found, np.int32), np.empty(found, np.float32)
    for block in range(len(chunks)):
        parts, chunks[block] = chunks[block], []
        for part in parts:
            _place(*part, at, *edges)
    return edges


@njit(cache=True)
def _count(rows: npt.NDArray[np.int32], begin: npt.NDArray[np.int64]) -> None:
    for row in rows:
        begin[row + 1] += 1


@njit(cache=True)
def _place(
    rows: npt.NDArray[np.int32],
    columns: npt.NDArray[np.int32],
    distances: npt.NDArray[np.float32],
    at: npt.NDArray[np.int64],
    all_rows: npt.NDArray[np.int32],
    all_columns: npt.NDArray[np.int32],
    all_distances: npt.NDArray[np.float32],
) -> None:
    for e in range(len(rows)):
        place = at[rows[e]]
        at[rows[e]] = place + 1
        all_rows[place], all_columns[place], all_distances[place] = rows[e], columns[e], distances[e]
