"""Faces of one photo are impostor pairs for free, before any label exists."""

from __future__ import annotations

import numpy as np

from annotation.clustering.impostors import WINDOW, Float32, ImpostorModel, fit_below, fit_bulk, truncated_normal
from annotation.clustering.resolution import Resolution
from annotation.clustering.vectors import Indexes, Vectors, pair_distances

MOST_FACES = 50  # of one photo whose pairs are taken; a stadium would outvote every album
MOST_PAIRS = 500_000


def same_photo_pairs(resolution: Resolution) -> Indexes:
    """Pairs of faces of one photo that no person has linked: int64 (m, 3), photo and two faces."""
    photo = resolution.photo
    order = np.flatnonzero(photo >= 0)
    order = order[np.argsort(photo[order], kind="stable")]
    bounds = np.flatnonzero(np.diff(photo[order])) + 1
    found, total = [np.empty((0, 3), np.int64)], 0
    for faces in np.split(order, bounds):
        if len(faces) < 2:
            continue
        faces = faces[:MOST_FACES]
        a, b = np.triu_indices(len(faces), 1)
        apart = resolution.component[faces[a]] != resolution.component[faces[b]]
        found.append(np.stack([photo[faces[a]], faces[a], faces[b]], axis=1)[apart])
        total += len(found[-1])
        if total >= MOST_PAIRS:
            break
    return np.concatenate(found)


class SamePhotoFit:
    """One normal, fitted below its mean plus two spreads: mirrors and collages put some genuine pairs above."""

    def __init__(self, vectors: Vectors, pairs: Indexes) -> None:
        self._similarities: Float32 = 1 - pair_distances(vectors, pairs[:, 1], pairs[:, 2])
        _, self._photo = np.unique(pairs[:, 0], return_inverse=True)
        mean, spread = fit_bulk(self._similarities)
        self._bound = mean + WINDOW * spread
        self.model = _normal(*fit_below(self._similarities, self._bound))

    def replicates(self, count: int, rng: np.random.Generator) -> list[ImpostorModel]:
        """Bootstrap over photos, because the pairs of a photo go up and down together."""
        photos = int(self._photo.max()) + 1
        seen = self._similarities < self._bound
        values = np.where(seen, self._similarities, 0).astype(np.float64)
        per_photo = np.stack([np.bincount(self._photo, of, photos) for of in (seen, values, values**2)])
        weights = rng.multinomial(photos, np.full(photos, 1 / photos), size=count)
        number, total, square = per_photo @ weights.T
        mean = total / np.maximum(number, 1)
        variance = np.maximum(square / np.maximum(number, 1) - mean**2, 0)
        fits = truncated_normal(self._bound, mean, variance)
        return [_normal(mean, spread) for mean, spread in zip(*fits, strict=True)]


def _normal(mean: float, spread: float) -> ImpostorModel:
    return ImpostorModel(shares=np.ones(1), means=np.array([mean]), spreads=np.array([spread]))
