"""How many false neighbours an album can afford, without labels.

A looser threshold finds more true neighbours and more false ones. How many are false follows from the impostor model,
how many there are at all can be counted; so the threshold is loosened until, of the faces that would find their nearest
neighbour only there, as many as the share allowed find a stranger (the local false discovery rate: Efron, Large-scale
inference, 2010). Where everybody has many photos, or blur scatters them widely, this is far looser than where most
people have one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from annotation.clustering.impostors import Float32, Float64, ImpostorModel
from annotation.clustering.resolution import Resolution
from annotation.clustering.vectors import Indexes, Vectors

OCTAVES = (-4, 6)  # how often the usual number is halved or doubled at most
PRIOR_LINKS = 3  # what the usual number weighs in each octave, in faces that find a neighbour there
BLOCK_ENTRIES = 1 << 24  # similarities at a time


def affordable_neighbours(
    nearest: npt.NDArray[np.floating], impostors: ImpostorModel, *, others: int, share: float, usual: float
) -> float:
    """The number of false neighbours per face, of so many others, up to which thresholds pay.

    Args:
        nearest: (m,) similarity of faces, or groups, each to the nearest of the others.
        share: of the neighbours found at the threshold that may be false, 0 to 1.
        usual: the number to expect before any are counted, > 0; it holds where few are found.
    """
    numbers = usual * 2.0 ** np.arange(OCTAVES[0], OCTAVES[1] + 1)
    steps = np.array([impostors.similarity(min(number / max(others, 1), 0.5)) for number in numbers])
    without = np.array([np.sum(nearest < step) for step in steps], np.float64)
    found = -np.diff(without)
    false = without[:-1] * -np.expm1(-np.diff(numbers))  # of those without one so far; neighbours fall as Poisson's do
    middles = np.sqrt(numbers[1:] * numbers[:-1])
    expected = np.minimum(share * np.sqrt(middles / usual), 1.0)
    weights = found + PRIOR_LINKS
    shares: Float64 = isotonic_regression((false + PRIOR_LINKS * expected) / weights, weights=weights).x
    return float(np.exp(np.interp(share, shares, np.log(middles))))


def nearest_others(vectors: Vectors, faces: Indexes, resolution: Resolution) -> Float32:
    """(m,) cosine similarity of some faces to the nearest other that nobody has linked to them and whose photo is
    another; -1 if there is none."""
    nearest = np.full(len(faces), -1, np.float32)
    component, photo = resolution.component, resolution.photo
    height = max(1, BLOCK_ENTRIES // max(len(vectors), 1))
    for at in range(0, len(faces), height):
        rows = faces[at : at + height]
        similarities = vectors[rows] @ vectors.T
        known = component[rows, None] == component[None]
        known |= (photo[rows, None] == photo[None]) & (photo[rows, None] >= 0)
        similarities[known] = -1
        nearest[at : at + height] = similarities.max(axis=1, initial=-1)
    return nearest
