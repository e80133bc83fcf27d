"""The face at the heart of each person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.clustering.typical import best_of_each
from mining.strategies.pool import Float, Int

BLOCK = 1 << 16
SHOWN = 6  # faces beside a question


@dataclass(frozen=True)
class Hearts:
    """Persons 0..k-1 of some rows.

    Attributes:
        persons: (k,) rising, as given.
        of: (n,) the person of each row, as a number 0..k-1.
        sizes: (k,) rows of each.
        medoid: (k,) the row most similar to its person's centroid.
        second: (k,) the next one, the medoid itself where it is alone.
        centres: (k, d) float32, unit centroids.
        lengths: (k,) of the mean of the unit vectors: 1 for one face, less for a wide cluster.
    """

    persons: Int
    of: Int
    sizes: Int
    medoid: Int
    second: Int
    centres: Float
    lengths: Float


def hearts(vectors: Float, persons: Int) -> Hearts:
    """Find the medoid of every person in `persons` (n,); linear in n."""
    known, of, sizes = np.unique(persons, return_inverse=True, return_counts=True)
    order = np.argsort(of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])[:-1].astype(np.int64)
    sums = np.add.reduceat(vectors[order], starts) if len(known) else np.empty((0, vectors.shape[1]), np.float32)
    norms = np.maximum(np.linalg.norm(sums, axis=1), 1e-12)
    centres = (sums / norms[:, None]).astype(np.float32)
    like = similarity_to(vectors, centres, of)
    medoid = best_of_each(like, of)
    others = np.delete(np.arange(len(of)), medoid)
    second = medoid.copy()
    second[sizes > 1] = others[best_of_each(like[others], of[others])]
    return Hearts(known, of, sizes, medoid, second, centres, (norms / sizes).astype(np.float32))


def most_alike(vectors: Float, row: int, rows: Int, count: int = SHOWN) -> Int:
    """Up to `count` of `rows`, the most similar to `row` first; without `row` itself."""
    rows = rows[rows != row]
    return rows[np.argsort(-(vectors[rows] @ vectors[row]), kind="stable")[:count]]


def similarity_to(vectors: Float, centres: Float, of: Int) -> Float:
    """(n,) cosine similarity of each row to centre number of[row]."""
    like = np.empty(len(of), np.float32)
    for at in range(0, len(of), BLOCK):
        rows = slice(at, at + BLOCK)
        like[rows] = np.einsum("ij,ij->i", vectors[rows], centres[of[rows]])
    return like
