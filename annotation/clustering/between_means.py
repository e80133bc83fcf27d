"""Are two sets of faces of one person? The evidence in how alike their means are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotation.clustering.centroids import Centroids, centroids
from annotation.clustering.cohort import Cohort
from annotation.clustering.genuine import GenuineModel, fit_genuine
from annotation.clustering.impostors import ImpostorModel
from annotation.clustering.vectors import Indexes, Vectors

Float64 = npt.NDArray[np.float64]

BLOCK = 1 << 14


@dataclass(frozen=True)
class Likeness:
    """Pairs of sets, (m,) float64 each.

    Attributes:
        similarity: cosine, of the two means.
        expected: what sets of one person would have.
        strangers: what two such strangers would have.
        evidence: natural logarithm of how much likelier the similarity is if they are one person.
    """

    similarity: Float64
    expected: Float64
    strangers: Float64
    evidence: Float64


class BetweenMeans:
    """Learns from labelled faces, vectors float32 (n, d) and labels (n,) >= 0, what to expect of means."""

    def __init__(self, vectors: Vectors, labels: Indexes, impostors: ImpostorModel, prior: GenuineModel) -> None:
        self._impostors = impostors
        self._cohort = Cohort(vectors, labels, impostors)
        own, others = similarity_to_the_rest(vectors, labels)
        self._genuine = fit_genuine(own[others > 0], others[others > 0], prior)

    def compare(self, middles: Centroids, owners: Indexes, pairs: Indexes) -> Likeness:
        """Weighs `pairs` (m, 2) of the middles (k,), which belong to labels `owners` (k,)."""
        first, second = pairs.T
        alike = np.empty(len(pairs))
        for at in range(0, len(pairs), BLOCK):
            part = slice(at, at + BLOCK)
            a, b = middles.directions[first[part]], middles.directions[second[part]]
            alike[part] = np.clip(np.einsum("ij,ij->i", a, b, dtype=np.float64), -1, 1)
        mean, spread = self._cohort.standing(middles.directions, owners, middles.lengths)
        centre = mean[first] + mean[second] - self._cohort.mean
        width = spread[first] * spread[second] / self._cohort.spread
        # Below the strangers' mean the ratio would turn; nobody is the less a stranger for that.
        held = np.maximum(alike, centre)
        standard = (held - centre) / width * self._cohort.spread + self._cohort.mean
        strange = self._impostors.log_density(standard) + np.log(self._cohort.spread / width)
        few, many = np.sort(middles.sizes[pairs], axis=1).T
        expected = self._genuine.mean(few) * self._genuine.mean(many) / self._genuine.similarity
        # The smaller set has the spread of one face: what is unusual about it, age or hat, may be common to all of it.
        same = self._genuine.log_density(held, many, expected - self._genuine.mean(many))
        return Likeness(alike, expected, centre, same - strange)


def similarity_to_the_rest(vectors: Vectors, labels: Indexes) -> tuple[Float64, Indexes]:
    """(n,) similarity of each face to the mean of the others of its label, and how many these are; 0 where alone."""
    _, of = np.unique(labels, return_inverse=True)
    middles = centroids(vectors, of)
    total = middles.lengths * middles.sizes
    dots = np.empty(len(of))
    for at in range(0, len(dots), BLOCK):
        part = slice(at, at + BLOCK)
        dots[part] = np.einsum("ij,ij->i", vectors[part], middles.directions[of[part]], dtype=np.float64)
    dots *= total[of]
    rest = np.sqrt(np.maximum(total[of] ** 2 - 2 * dots + 1, 1e-12))
    others = middles.sizes[of] - 1
    return np.where(others > 0, np.clip((dots - 1) / rest, -1, 1), 0.0), others
