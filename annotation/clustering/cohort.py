"""How alike a face is to strangers: some faces, blurred ones above all, resemble everybody.

Similarities are compared with the mean and spread that a face, and the mean of a person's faces, has to a cohort of
strangers (score normalisation; Auckenthaler, Carey and Lloyd-Thomas, 2000).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from annotation.clustering.impostors import ImpostorModel
from annotation.clustering.strata import StratifiedFit
from annotation.clustering.vectors import Indexes, Vectors

Float64 = npt.NDArray[np.float64]

MOST_PEOPLE = 2000  # one face of each
LEAST_PEOPLE = 30  # for a fit of the strangers' distribution; it weighs as much as this many of the cohort
CEILING_RATE = 1e-3  # of strangers that are more alike than counted: among them are the same person's other names
BLOCK = 4096


def strangers_by_label(vectors: Vectors, labels: Indexes, prior: ImpostorModel) -> ImpostorModel:
    """The impostor distribution between faces of different labels, one face of each; the prior for few people."""
    rows = one_of_each(labels, MOST_PEOPLE)
    return StratifiedFit(vectors[rows]).model if len(rows) >= LEAST_PEOPLE else prior


def one_of_each(labels: Indexes, most: int) -> Indexes:
    """Up to `most` rows of different labels, evenly among the labels; each label's first row."""
    first = np.unique(labels, return_index=True)[1]
    if len(first) > most:
        first = first[np.linspace(0, len(first) - 1, most).astype(np.int64)]
    return first.astype(np.int64)


class Cohort:
    """One face each of up to 2,000 people of labels (n,), and how alike strangers are in general.

    Attributes:
        mean, spread: of the impostor distribution.
    """

    def __init__(self, vectors: Vectors, labels: Indexes, impostors: ImpostorModel) -> None:
        rows = one_of_each(labels, MOST_PEOPLE)
        self._strangers, self._labels = vectors[rows], labels[rows]
        self._ceiling = impostors.similarity(CEILING_RATE)
        self.mean = float(impostors.shares @ impostors.means)
        variance = float(impostors.shares @ (impostors.spreads**2 + impostors.means**2)) - self.mean**2
        self.spread = float(np.sqrt(max(variance, 1e-12)))

    def standing(self, vectors: Vectors, labels: Indexes, lengths: Float64) -> tuple[Float64, Float64]:
        """Mean and spread of the similarity of each row (m, d) to the cohort without the row's own label.

        Held near the impostor distribution while the cohort is small; the mean of that is amplified by 1 / length in
        means of many faces, as what strangers have in common remains while all else cancels out.

        Args:
            lengths: (m,) of the mean of the unit vectors; 1 for a single face.
        """
        mean, spread = np.empty(len(vectors)), np.empty(len(vectors))
        for at in range(0, len(vectors), BLOCK):
            part = slice(at, at + BLOCK)
            expected = np.minimum(self.mean / lengths[part], self._ceiling)
            like = np.minimum(vectors[part] @ self._strangers.T, np.float32(self._ceiling))
            counted = labels[part, None] != self._labels[None]
            weight = counted.sum(axis=1) + LEAST_PEOPLE
            off = np.where(counted, like - expected[:, None].astype(np.float32), np.float32(0))
            shift = off.sum(axis=1, dtype=np.float64) / weight
            square = (np.einsum("ij,ij->i", off, off) + LEAST_PEOPLE * self.spread**2) / weight
            mean[part], spread[part] = expected + shift, np.sqrt(np.maximum(square - shift**2, 1e-12))
        return mean, spread
