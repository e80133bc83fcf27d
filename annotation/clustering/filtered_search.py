"""Edges by a bfloat16 filter and an exact recheck, on all cores: what CPUs with native bfloat16 do fastest."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np
import numpy.typing as npt
from numba import njit

from annotation.clustering.edges import Edges, Found, Spend
from annotation.clustering.short_vectors import CHUNK_NUMBERS, ShortVectors
from annotation.clustering.vectors import Vectors, pair_distance

STRIP = 1024  # rows of a block
TILE = 512  # columns; STRIP * TILE products of two bytes stay in a core's second-level cache
RUN = 128  # products whose largest is looked at first
KEPT_AT_ONCE = 1 << 17  # edges a core collects before it hands them over
BYTES_PER_ROTATED = 48  # of scratch for one number of the rows that are being rotated


class FilteredSearch:
    """`ShortVectors` discard nearly all pairs; `pair_distance` settles the rest, so the edges are those of float32
    brute force. Every core works on a strip of rows of its own, whose products never leave its cache."""

    def __init__(self, vectors: Vectors, max_distance: float, short: ShortVectors) -> None:
        self._vectors, self._max_distance, self._short = vectors, max_distance, short
        self._cut = short.cut(max_distance)
        self.blocks = math.ceil(len(vectors) / STRIP)
        self.total = sum(self._tiles(block) for block in range(self.blocks))
        self.scratch_bytes = scratch_bytes(len(vectors), vectors.shape[1], short.rows.shape[1])

    def edges(self, spend: Spend) -> Found:
        """See `Search`: blocks come as they are finished."""
        import torch

        cores, stopped = torch.get_num_threads(), threading.Event()
        pool = ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,))
        try:
            strips = {pool.submit(self._strip, block, spend, stopped): block for block in range(self.blocks)}
            for strip in as_completed(strips):
                block = strips.pop(strip)
                yield block, self._tiles(block), strip.result()
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(cores)

    def _tiles(self, block: int) -> int:
        return math.ceil((len(self._vectors) - block * STRIP) / TILE)

    def _strip(self, block: int, spend: Spend, stopped: threading.Event) -> list[Edges]:
        """All edges that begin in one block of rows."""
        import torch

        row, n = block * STRIP, len(self._vectors)
        queries = self._short.rows[row : row + STRIP]
        products = torch.empty((len(queries), TILE), dtype=torch.bfloat16)
        bits = products.view(torch.int16).numpy().reshape(len(queries), TILE // RUN, RUN)  # the same memory
        # Positive bfloat16 numbers are ordered as the integers that their bits spell; negative ones are below them.
        cut = np.int16(torch.tensor(self._cut, dtype=torch.bfloat16).view(torch.int16).item())
        kept, found, filled = _room(KEPT_AT_ONCE), list[Edges](), 0
        for column in range(row, n, TILE):
            if stopped.is_set():
                break
            others = self._short.rows[column : column + TILE]
            if len(others) < TILE:  # zero rows fill the last tile; their products are below the cut, which is positive
                others = torch.cat([others, others.new_zeros((TILE - len(others), others.shape[1]))])
            torch.mm(queries, others.T, out=products)
            begin = 0
            while begin < len(bits):
                begin, filled = _settle(
                    bits, cut, self._vectors, row, column, np.float32(self._max_distance), *kept, filled, begin
                )
                if begin < len(bits):  # the room is full
                    found.append(_handed_over(kept, filled, spend))
                    filled = 0
        found.append(_handed_over(kept, filled, spend))
        return found


def scratch_bytes(n: int, d: int, width: int) -> int:
    """What a search with short vectors of this width allocates beside its edges."""
    import torch

    rotating = BYTES_PER_ROTATED * min(n * max(d, width), CHUNK_NUMBERS)
    working = torch.get_num_threads() * (2 * STRIP * TILE + 12 * KEPT_AT_ONCE)
    return 2 * n * width + max(rotating, working)


def is_fast_here() -> bool:
    """Whether this CPU multiplies bfloat16 natively."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))


def _room(size: int) -> Edges:
    return np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.float32)


def _handed_over(kept: Edges, filled: int, spend: Spend) -> Edges:
    spend(filled)
    rows, columns, distances = kept
    return rows[:filled].copy(), columns[:filled].copy(), distances[:filled].copy()


@njit(cache=True, nogil=True)
def _settle(
    products: npt.NDArray[np.int16],  # (rows, runs, RUN)
    cut: np.int16,
    vectors: Vectors,
    row: int,
    column: int,
    max_distance: np.float32,
    rows: npt.NDArray[np.int32],
    columns: npt.NDArray[np.int32],
    distances: npt.NDArray[np.float32],
    filled: int,
    begin: int,
) -> tuple[int, int]:
    """Appends the edges of a tile from its line `begin` on; returns the line it stopped before for lack of room (or
    the number of lines) and how many edges there are."""
    height, runs, _ = products.shape
    for line in range(begin, height):
        if filled + runs * RUN > len(rows):
            return line, filled
        i = row + line
        for run in range(max(0, i + 1 - column) // RUN, runs):
            largest = np.int16(-32768)
            for at in range(RUN):  # a constant and no slice, or it would not become vector instructions
                product = products[line, run, at]
                largest = product if product > largest else largest
            if largest < cut:
                continue
            for at in range(RUN):
                j = column + run * RUN + at
                if products[line, run, at] >= cut and i < j:
                    distance = pair_distance(vectors, i, j)
                    if distance <= max_distance:
                        rows[filled], columns[filled], distances[filled] = i, j, distance
                        filled += 1
    return height, filled
