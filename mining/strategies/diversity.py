"""Questions that differ from each other: farthest-point selection, a 2-approximation of k-centre.

Source: T. F. Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mining.strategies.pool import Float, Int


@dataclass(frozen=True)
class Spread:
    """What was picked of n questions.

    Attributes:
        picked: (k,) in the order of picking.
        radius: how far the question that is farthest from all picked ones is from the nearest of these, 0..2 sqrt(2).
    """

    picked: Int
    radius: float


def distances(first: Float, second: Float, at: int) -> NDArray[np.float64]:
    """(n,) how far each question is from question number `at`, 0 for the same two faces and up to 2 sqrt(2).

    It is the Euclidean distance of both faces' vectors at once, in whichever order of the two is nearer: which face
    stands first does not matter. That is a metric, which the bound of `farthest_first` rests on.

    Args:
        first: (n, d) L2-normalised float32, of each question's first face.
        second: (n, d), of its second one.
    """
    straight = first @ first[at] + second @ second[at]
    crossed = first @ second[at] + second @ first[at]
    squared = 4 - 2 * np.maximum(straight, crossed).astype(np.float64)
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def farthest_first(first: Float, second: Float, count: int) -> Spread:
    """Pick `count` questions, number 0 first, each next one the farthest from those picked; ties by number.

    The radius is at most twice that of the best choice of as many. Time n x count, memory n.
    """
    n = len(first)
    if not n or count <= 0:
        return Spread(np.empty(0, np.int64), 0.0)
    picked = [0]
    nearest = distances(first, second, 0)
    nearest[0] = -1.0  # never again, even where all questions are the same
    while len(picked) < min(count, n):
        at = int(nearest.argmax())
        picked.append(at)
        nearest = np.minimum(nearest, distances(first, second, at))
        nearest[at] = -1.0
    return Spread(np.array(picked, np.int64), max(float(nearest.max()), 0.0))
