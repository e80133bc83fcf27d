"""How alike a face is to the mean of other faces of its person, learnt from labels that are mostly right.

If two faces of a person have similarity g on average, then a face has g * sqrt(m / (1 + (m - 1) g)) to the normalised
mean of m others: a larger mean holds less noise (on LFW with SFace this single parameter gives the medians for 1 to 50
faces within 0.02). Its spread has a part that stays, the face's own, and one that falls as 1 / m. Everything is fitted
by medians and quartiles, which a few wrong labels cannot move.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log, pi

import numpy as np
import numpy.typing as npt

from annotation.clustering.vectors import Indexes

Float64 = npt.NDArray[np.float64]

FREEDOM = 5.0  # of Student's t: the odd profile, blur or childhood photo is far commoner than a normal allows
QUARTILES = 1.349  # of a normal, in standard deviations
SIZES = (1, 2, 3, 5, 9)  # where the classes of m start within which spreads are measured
LEAST_FACES = 20  # of a class
PRIOR_WEIGHT = 10.0  # people, or faces of a class, that what was expected beforehand counts for
LEAST_SPREAD = 1e-3
_CONSTANT = lgamma((FREEDOM + 1) / 2) - lgamma(FREEDOM / 2) - log(FREEDOM * pi) / 2


@dataclass(frozen=True)
class GenuineModel:
    """Similarity of a face to the mean of m other faces of its person.

    Attributes:
        similarity: the mean cosine similarity of two faces of one person, > 0.
        stays, falls: the variance is stays + falls / m.
    """

    similarity: float
    stays: float
    falls: float

    @staticmethod
    def expected(*, strangers: float, threshold: float) -> GenuineModel:
        """Before any labels are seen: as far above the threshold at which clusters merge as half the way from the
        strangers' mean up to it (LFW with SFace: 0.67 from 0.09 and 0.48)."""
        half = max((threshold - strangers) / 2, LEAST_SPREAD)
        return GenuineModel(min(threshold + half, 0.99), (half / 2) ** 2 / 2, (half / 2) ** 2 / 2)

    def mean(self, faces: npt.NDArray[np.integer]) -> Float64:
        """The similarity expected to the mean of so many faces, >= 1, any shape."""
        g: Float64 = self.similarity * np.sqrt(faces / (1 + (faces - 1) * self.similarity))
        return g

    def spread(self, faces: npt.NDArray[np.integer]) -> Float64:
        """Its standard deviation."""
        return np.asarray(np.maximum(np.sqrt(self.stays + self.falls / faces), LEAST_SPREAD))

    def log_density(self, similarity: Float64, faces: npt.NDArray[np.integer], shift: float | Float64 = 0.0) -> Float64:
        """Natural logarithm of the density, Student's t, held at its peak above it: to be more alike than expected
        never speaks against being the same.

        Args:
            similarity, faces: of one shape, or such that broadcast.
            shift: how far the face itself is off what is expected, from `suspects`.
        """
        spread = self.spread(faces)
        off = np.minimum((similarity - self.mean(faces) - shift) / spread, 0)
        density: Float64 = _CONSTANT - (FREEDOM + 1) / 2 * np.log1p(off**2 / FREEDOM) - np.log(spread)
        return density


def fit_genuine(similarity: Float64, faces: Indexes, prior: GenuineModel) -> GenuineModel:
    """From the similarity of faces to the mean of the others under the same label.

    Args:
        similarity: (n,).
        faces: (n,) how many others, >= 1.
        prior: what to believe while there are few.
    """
    people = float(np.sum(1 / (faces + 1.0)))  # faces of one person share one vote
    found = _weighted_median(_of_two(similarity, faces), 1 / (faces + 1.0)) if people else prior.similarity
    centre = (people * found + PRIOR_WEIGHT * prior.similarity) / (people + PRIOR_WEIGHT)
    stays, falls = _fit_spread(similarity, faces, prior)
    return GenuineModel(float(np.clip(centre, 0.01, 0.99)), stays, falls)


def _of_two(similarity: Float64, faces: Indexes) -> Float64:
    """The similarity of two faces at which that to the mean of so many would be what it is."""
    square = np.clip(similarity, 0.01, 1) ** 2
    rest = square * (faces - 1)
    return np.asarray((rest + np.sqrt(rest**2 + 4 * faces * square)) / (2 * faces))


def _weighted_median(values: Float64, weights: Float64) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _fit_spread(similarity: Float64, faces: Indexes, prior: GenuineModel) -> tuple[float, float]:
    """A line through the variances of classes of m over 1 / m, with two points of the prior."""
    points = [(1.0, prior.stays + prior.falls, PRIOR_WEIGHT), (0.0, prior.stays, PRIOR_WEIGHT)]
    for low, high in zip(SIZES, (*SIZES[1:], np.inf), strict=True):
        among = (faces >= low) & (faces < high)
        if among.sum() >= LEAST_FACES:
            quarter, three = np.quantile(similarity[among], [0.25, 0.75])
            points.append((float(np.mean(1 / faces[among])), ((three - quarter) / QUARTILES) ** 2, float(among.sum())))
    inverse, variance, weight = np.array(points).T
    design = np.stack([np.ones_like(inverse), inverse], axis=1) * np.sqrt(weight)[:, None]
    stays, falls = np.linalg.lstsq(design, variance * np.sqrt(weight), rcond=None)[0]
    return max(float(stays), LEAST_SPREAD**2), max(float(falls), 0.0)
