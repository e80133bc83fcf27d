"""What every entry point demands of its vectors, and the one definition of the distance of a pair."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from foundation.errors import InvalidInput

Vectors = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.int64]

NORM_TOLERANCE = 1e-3  # how far a row's length may be from 1; float32 and bf16 embedders stay well below it
LISTED_ROWS = 10  # rows named in an error message


def check_vectors(vectors: npt.NDArray[np.generic]) -> Vectors:
    """The same vectors, contiguous. Raises InvalidInput unless they are finite float32 (n, d) rows of length 1."""
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or vectors.shape[1] == 0:
        shape = getattr(vectors, "shape", type(vectors).__name__)
        raise InvalidInput(f"Vectors must be one array of shape (n, d), not {shape}.", code="vectors_shape")
    if vectors.dtype != np.float32:
        raise InvalidInput(f"Vectors must be float32, not {vectors.dtype}.", code="vectors_dtype")
    checked: Vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    norms = np.sqrt(np.einsum("ij,ij->i", checked, checked, dtype=np.float64))
    _refuse(~np.isfinite(norms), "hold NaN or infinity", "vectors_not_finite")
    _refuse(norms == 0, "are zero vectors, which have no direction to compare", "vectors_zero")
    _refuse(np.abs(norms - 1) > NORM_TOLERANCE, "are not L2-normalised", "vectors_not_normalised")
    return checked


def check_labels(labels: npt.NDArray[np.generic], n: int, name: str = "labels") -> Indexes:
    """The labels as int64. Raises InvalidInput unless they are n integers."""
    if labels.shape != (n,) or not np.issubdtype(labels.dtype, np.integer):
        raise InvalidInput(f"{name} must be {n} integers, not {labels.dtype} of shape {labels.shape}.")
    return labels.astype(np.int64)


def _refuse(bad: npt.NDArray[np.bool_], what: str, code: str) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        listed = ", ".join(map(str, rows[:LISTED_ROWS])) + (", ..." if len(rows) > LISTED_ROWS else "")
        raise InvalidInput(f"{len(rows)} of {len(bad)} vectors {what}: rows {listed}.", code=code)


def dot_error(dimensions: int) -> float:
    """Bound on the error of a float32 dot product of two unit rows, in any order of summation (Higham 2002, 3.5)."""
    unit = dimensions * 2.0**-24
    return unit / (1 - unit) * (1 + NORM_TOLERANCE) ** 2


@njit(cache=True, inline="always")
def pair_distance(vectors: Vectors, i: int, j: int) -> np.float32:
    """Cosine distance of two rows: summed in float64 in a fixed order, so that it never depends on blocks or BLAS."""
    d = vectors.shape[1]
    s0 = s1 = s2 = s3 = 0.0
    whole = d - d % 4
    for k in range(0, whole, 4):
        s0 += np.float64(vectors[i, k]) * np.float64(vectors[j, k])
        s1 += np.float64(vectors[i, k + 1]) * np.float64(vectors[j, k + 1])
        s2 += np.float64(vectors[i, k + 2]) * np.float64(vectors[j, k + 2])
        s3 += np.float64(vectors[i, k + 3]) * np.float64(vectors[j, k + 3])
    for k in range(whole, d):
        s0 += np.float64(vectors[i, k]) * np.float64(vectors[j, k])
    return np.float32(max(0.0, 1.0 - ((s0 + s1) + (s2 + s3))))


@njit(cache=True, parallel=True)
def pair_distances(
    vectors: Vectors, rows: npt.NDArray[np.integer], columns: npt.NDArray[np.integer]
) -> npt.NDArray[np.float32]:
    """`pair_distance` of many pairs, on all cores."""
    distances = np.empty(len(rows), np.float32)
    for e in prange(len(rows)):
        distances[e] = pair_distance(vectors, rows[e], columns[e])
    return distances


def number_clusters(labels: npt.NDArray[np.integer]) -> Indexes:
    """Any labels (n,) renumbered 0.. in the order of each cluster's smallest member."""
    if len(labels) and not (labels.min() >= 0 and labels.max() < 4 * len(labels)):
        labels = np.unique(labels, return_inverse=True)[1]
    return _by_first_use(labels.astype(np.int64), int(labels.max(initial=-1)) + 1)


@njit(cache=True)
def _by_first_use(labels: Indexes, count: int) -> Indexes:
    number, numbered, used = np.full(count, -1, np.int64), np.empty(len(labels), np.int64), 0
    for i, label in enumerate(labels):
        if number[label] < 0:
            number[label] = used
            used += 1
        numbered[i] = number[label]
    return numbered
