"""Fits the impostor mixture to the pairs of one face per person, and says how sure the fit is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotation.clustering.impostors import (
    WINDOW,
    Float32,
    Float64,
    ImpostorModel,
    fit_below,
    fit_bulk,
    truncated_normal,
)
from annotation.clustering.vectors import Indexes, Vectors

MOST_STRATA = 4
FACES_PER_STRATUM = 100  # fewer give too few pairs to tell a spread from noise
PASSES = 3  # of refitting below a bound that follows the fit


@dataclass(frozen=True)
class _Block:
    """Pairs of one stratum with another: where, up to which similarity they count, and what share of all they are."""

    rows: Indexes
    columns: Indexes
    bound: float
    mean: float
    spread: float
    share: float


class StratifiedFit:
    """The impostor mixture of vectors (m, d), nearly all of different people; m up to a few thousand."""

    def __init__(self, vectors: Vectors, *, strata: int = MOST_STRATA) -> None:
        self._similarities: Float32 = vectors @ vectors.T
        np.fill_diagonal(self._similarities, np.inf)  # above every bound, so a face never counts with itself
        base = fit_bulk(self._similarities[np.triu_indices(len(vectors), 1)])
        groups = _strata(self._similarities, base[0] + 3 * base[1], strata)
        self._blocks = [self._fit_block(rows, columns, base) for rows, columns in _pairs(groups)]
        self.model = ImpostorModel(
            shares=np.array([block.share for block in self._blocks]),
            means=np.array([block.mean for block in self._blocks]),
            spreads=np.array([block.spread for block in self._blocks]),
        )

    def replicates(self, count: int, rng: np.random.Generator) -> list[ImpostorModel]:
        """Bootstrap over faces, not pairs, because all pairs of a face go up and down together."""
        m = len(self._similarities)
        weights = rng.multinomial(m, np.full(m, 1 / m), size=count).T.astype(np.float32)
        fits = [self._refit(block, weights) for block in self._blocks]
        means, spreads = (np.array(values).T for values in zip(*fits, strict=True))
        return [ImpostorModel(self.model.shares, means[i], spreads[i]) for i in range(count)]

    def _fit_block(self, rows: Indexes, columns: Indexes, start: tuple[float, float]) -> _Block:
        similarities = self._similarities[np.ix_(rows, columns)]
        (mean, spread), bound = start, 0.0
        for _ in range(PASSES):
            bound = mean + WINDOW * spread
            mean, spread = fit_below(similarities.ravel(), bound)
        twice = 1 if rows is columns else 2
        share = twice * len(rows) * len(columns) / len(self._similarities) ** 2
        return _Block(rows, columns, bound, mean, spread, share)

    def _refit(self, block: _Block, weights: Float32) -> tuple[Float64, Float64]:
        similarities = self._similarities[np.ix_(block.rows, block.columns)]
        seen = similarities < block.bound
        values = np.where(seen, similarities - np.float32(block.mean), 0)
        of_rows, of_columns = weights[block.rows], weights[block.columns]

        def total(of_pairs: Float32) -> Float64:
            sums: Float64 = np.einsum("ib,ib->b", of_rows, of_pairs @ of_columns, dtype=np.float64)
            return sums

        count = np.maximum(total(seen.astype(np.float32)), 1)
        mean, square = total(values) / count, total(values**2) / count
        return truncated_normal(block.bound, mean + block.mean, np.maximum(square - mean**2, 0))


def _strata(similarities: Float32, ceiling: float, most: int) -> list[Indexes]:
    """Faces in groups of equal size by how far their similarities to others scatter, leaving out likely matches."""
    counted = similarities < ceiling
    count = np.maximum(counted.sum(axis=1), 1)
    values = np.where(counted, similarities, 0).astype(np.float64)
    scatter = np.sum(values**2, axis=1) / count - (np.sum(values, axis=1) / count) ** 2
    groups = min(most, max(1, len(similarities) // FACES_PER_STRATUM))
    return np.array_split(np.argsort(scatter, kind="stable"), groups)


def _pairs(strata: list[npt.NDArray[np.int64]]) -> Iterator[tuple[Indexes, Indexes]]:
    for i, rows in enumerate(strata):
        for columns in strata[i:]:
            yield rows, columns
