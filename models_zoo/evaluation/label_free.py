"""Pairs that need no label: a face and its re-shoots are one person, faces of one photo are two."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.evaluation.trial import Floats, Ints, Trial

# Fewer impostor pairs of one photo than this many times 1/far leave the threshold to chance.
ENOUGH = 3.0


def label_free_trial(
    clean: Floats, reshoots: Floats, photos: Ints, *, far: float, apart: Ints | None = None, seed: int = 0
) -> tuple[Trial, str]:
    """Verification without labels.

    Args:
        clean: float32 (n, d) normalised embeddings of the faces.
        reshoots: float32 (n, r, d) normalised embeddings of r degraded re-shoots of each.
        photos: int64 (n,) the photo of each face; a face is the "person" of its own re-shoots.
        far: false-accept rate that the trial will be asked for.
        apart: int64 (n,) cluster numbers. Where photos with several faces are too few, random pairs of different photos
            and clusters stand in as impostors; a few of them are genuine, so the rate is then a little too low.

    Returns:
        The trial and, in words, what the impostors were.

    Raises:
        InvalidInput: not enough impostor pairs either way.
    """
    n, r = reshoots.shape[:2]
    genuine = np.einsum("nd,nrd->nr", clean, reshoots).astype(np.float32).ravel()
    i, j = _within_photos(photos)
    basis = "faces of one photo"
    if len(i) * r < ENOUGH / far and apart is not None:
        i, j = _across(photos, apart, wanted=int(np.ceil(20 / far)), seed=seed)
        basis = "random faces of different photos and clusters, as photos with several faces are too few"
    if len(i) * r < ENOUGH / far:
        raise InvalidInput("There are too few impostor pairs to judge without labels.", code="too_few_pairs")
    similarity = np.einsum("pd,prd->pr", clean[i], reshoots[j]).astype(np.float32)
    order = np.argsort(-similarity.ravel(), kind="stable")
    pairs = np.zeros((n, n), dtype=np.float64)
    np.add.at(pairs, (i, j), float(r))
    return (
        Trial(
            genuine,
            np.repeat(np.arange(n), r),
            similarity.ravel()[order],
            np.repeat(i, r)[order],
            np.repeat(j, r)[order],
            pairs,
        ),
        basis,
    )


def _within_photos(photos: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All ordered pairs of different faces of one photo."""
    order = np.argsort(photos, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(photos[order])) + 1)
    pairs = [np.array([(a, b) for a in group for b in group if a != b]).reshape(-1, 2) for group in groups]
    both = np.concatenate(pairs) if pairs else np.empty((0, 2))
    return both[:, 0].astype(np.int64), both[:, 1].astype(np.int64)


def _across(photos: Ints, apart: Ints, *, wanted: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    i, j = rng.integers(0, len(photos), (2, wanted * 2))
    fine = (photos[i] != photos[j]) & (apart[i] != apart[j])
    return i[fine][:wanted], j[fine][:wanted]
