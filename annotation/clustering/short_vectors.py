"""Short bfloat16 vectors whose products bound cosine similarities from above, up to a proven margin.

Let x, y be two rows, Q the orthogonal matrix of their principal axes, Qx = (x1, x2) split after r coordinates. Then

    x.y = Qx.Qy = x1.y1 + x2.y2 <= x1.y1 + |x2| |y2| = z(x).z(y)    with z(x) = (x1, |x2|)                      (1)

by Cauchy and Schwarz: r + 1 coordinates bound the similarity, and tightly, since the last axes hold little. (With
r = d nothing is cut off, z(x) = Qx.) What is multiplied is w(x), z(x) rounded to bfloat16, e(x) = w(x) - z(x):

    z(x).z(y) - w(x).w(y) = -z(x).e(y) - e(x).w(y) <= E (Z + W)                                               (2)

with E, Z, W the largest norms of e, z, w over all rows: measured in float64, not assumed. The product of two bfloat16
numbers is exact in float32; their sum of K terms in float32, in any order, is off by at most

    K u / (1 - K u) * W * W,    u = 2**-23                                                                      (3)

(Higham 2002, 3.5; u is twice float32's, so that truncating hardware is covered). `SLACK` covers subnormals flushed to
zero (at most K * 2**-124) and float64's own rounding: of Q (its rows are orthonormal to about d * 2**-52), of z and of
the norms. The margin is (2) + (3) + SLACK: a pair whose similarity reaches s has a float32 product >= s - margin.

The result is stored as bfloat16. Rounding is monotone and leaves bfloat16 numbers alone, hence a product >= a is
stored as a number >= the largest bfloat16 <= a. This is why `cut` rounds down and storing costs no margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from annotation.clustering.vectors import Vectors

if TYPE_CHECKING:
    import torch

SLACK = 2.0**-30
THRESHOLD_SLACK = 2.0**-20  # covers float32's rounding of a distance and of the threshold it is compared to
STEP = 32  # coordinates: one row of an AMX tile of bfloat16
MOST_WIDTHS = 8  # compared when one is chosen
SAMPLE_ROWS = 1024
CHUNK_NUMBERS = 1 << 22  # float64 numbers rotated at a time

# Nanoseconds of one core for one pair, measured on a Xeon with AMX; their ratios matter, and only for the speed.
PAIR_COST = 0.13
TERM_COST = 0.001  # per coordinate
CANDIDATE_COST = 150.0


@dataclass(frozen=True)
class ShortVectors:
    """The rounded vectors w of all rows.

    Attributes:
        rows: bfloat16 tensor (n, width).
        margin: a float32 product of two rows, plus this, is at least their cosine similarity.
    """

    rows: torch.Tensor
    margin: float

    def cut(self, max_distance: float) -> float:
        """The largest bfloat16 number that no stored product of a pair within this distance falls below."""
        return round_down(1 - max_distance - THRESHOLD_SLACK - self.margin)


def short_vectors(vectors: Vectors, axes: npt.NDArray[np.float64], width: int) -> ShortVectors:
    """Bounding vectors of `width` coordinates, the last one the norm of the rest unless width >= d."""
    import torch

    n, step = len(vectors), max(1, CHUNK_NUMBERS // max(width, vectors.shape[1]))
    rows = torch.empty((n, width), dtype=torch.bfloat16)
    error = before = after = 0.0
    for begin in range(0, n, step):
        exact = shortened(vectors[begin : begin + step], axes, width)
        rounded = rows[begin : begin + step]
        rounded.copy_(torch.from_numpy(exact))
        stored = rounded.to(torch.float64).numpy()
        before, after = max(before, _largest_norm(exact)), max(after, _largest_norm(stored))
        error = max(error, _largest_norm(stored - exact))
    summing = width * 2.0**-23
    margin = error * (before + after) + summing / (1 - summing) * after * after + SLACK
    return ShortVectors(rows, margin)


def principal_axes(vectors: Vectors) -> npt.NDArray[np.float64]:
    """An orthogonal matrix (d, d) whose columns are the principal axes, widest first, of evenly spaced rows.

    Any orthogonal matrix gives the same edges; the better it is, the fewer pairs have to be looked at twice.
    """
    step = -(-vectors.size // CHUNK_NUMBERS)
    sample = vectors[:: max(1, step)].astype(np.float64)
    _, axes = np.linalg.eigh(sample.T @ sample)
    widest_first: npt.NDArray[np.float64] = np.ascontiguousarray(axes[:, ::-1])
    return widest_first


def shortened(vectors: Vectors, axes: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """The vectors z of the module's derivation, float64 (n, width), zeros where width > d."""
    rotated = vectors.astype(np.float64) @ axes
    d = vectors.shape[1]
    short = np.zeros((len(vectors), width))
    if width >= d:
        short[:, :d] = rotated
    else:
        short[:, :-1] = rotated[:, : width - 1]
        short[:, -1] = np.linalg.norm(rotated[:, width - 1 :], axis=1)
    return short


def choose_width(vectors: Vectors, axes: npt.NDArray[np.float64], max_distance: float) -> int:
    """The width that should make the search fastest, from how many pairs of a sample each lets pass."""
    d = vectors.shape[1]
    most: int = -(-d // STEP) * STEP
    sample = vectors[np.random.default_rng(0).permutation(len(vectors))[: 2 * SAMPLE_ROWS]]
    cheapest, chosen = np.inf, most
    for width in range(most, 0, -STEP * -(-most // STEP // MOST_WIDTHS)):
        short = short_vectors(sample, axes, width)
        values = short.rows.float().numpy()
        passing = (
            np.count_nonzero(values[::2] @ values[1::2].T >= short.cut(max_distance)) / max(1, len(sample) // 2) ** 2
        )
        cost = PAIR_COST + TERM_COST * width + CANDIDATE_COST * passing
        if cost < cheapest:
            cheapest, chosen = cost, width
    return chosen


def round_down(value: float) -> float:
    """The largest bfloat16 number <= value; bfloat16 is the upper half of float32."""
    single = np.float32(value)
    if float(single) > value:
        single = np.nextafter(single, np.float32(-np.inf))
    bits = int(single.view(np.int32))
    if bits < 0 and bits & 0xFFFF:  # negative: away from zero
        bits += 0x10000
    return float(np.int32(bits & ~0xFFFF).view(np.float32))


def _largest_norm(rows: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.einsum("ij,ij->i", rows, rows)).max(initial=0.0))
