"""Other ways to rank labels by how wrong they seem: a plain score, and cleanlab on out-of-sample probabilities."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Int = NDArray[np.int64]

CHUNK = 256
TEMPERATURES = (5.0, 10.0, 20.0, 40.0, 80.0)  # factors on cosine similarity
METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
NEIGHBOURS = 10


def average_precision(score: Floats, wrong: Int) -> float:
    """The mean, over the wrong labels, of the share of wrong labels from the top down to each; ties by row."""
    ranks = np.flatnonzero(np.isin(np.argsort(-score, kind="stable"), wrong)) + 1
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks)) if len(ranks) else 0.0


def cleanlab_scores(vectors: NDArray[np.float32], of: Int, wrong: Int) -> Iterator[tuple[str, Floats, dict[str, Any]]]:
    """Name, score (n,) and settings from centroids, then from neighbours, each at its best of all settings tried."""
    for source, similarity in (("centroids", to_centroids), ("neighbours", to_neighbours)):
        start = time.perf_counter()
        alike = similarity(vectors, of)
        tried: list[tuple[float, str, float, Floats]] = []
        for temperature in TEMPERATURES:
            shares = softmax(alike, temperature)
            for method in METHODS:
                score = -np.asarray(get_label_quality_scores(of, shares, method=method), np.float64)
                tried.append((average_precision(score, wrong), method, temperature, score))
        _, method, temperature, score = max(tried, key=lambda one: one[0])
        middling = float(np.median([precision for precision, *_ in tried]))
        seconds = round(time.perf_counter() - start, 3)
        yield (
            f"cleanlab, {source}",
            score,
            {"method": method, "temperature": temperature, "settings_tried": len(tried), "seconds": seconds}
            | {"median_of_settings": round(middling, 4)},
        )


def plain_score(vectors: NDArray[np.float32], of: Int) -> Floats:
    """Similarity to the nearest other centroid minus the mean similarity to the others of its own.

    Where a face is alone, the median of the latter over all faces stands for it: of the published errors that puts one
    far down (the same person under two names) and the others higher up than 0 does.
    """
    sums, sizes = sums_of(vectors, of)
    own = (np.einsum("ij,ij->i", vectors, sums[of]) - 1) / np.maximum(sizes[of] - 1, 1)
    alike = vectors @ (sums / np.linalg.norm(sums, axis=1, keepdims=True)).T
    alike[np.arange(len(of)), of] = -1
    several = sizes[of] > 1
    return np.asarray(alike.max(axis=1) - np.where(several, own, np.median(own[several])), np.float64)


def to_centroids(vectors: NDArray[np.float32], of: Int) -> NDArray[np.float32]:
    """(n, people) cosine similarity, of each face to its own person without it; -inf where nothing is left."""
    sums, sizes = sums_of(vectors, of)
    alike = vectors @ (sums / np.linalg.norm(sums, axis=1, keepdims=True)).T
    rest = sums[of] - vectors
    own = np.einsum("ij,ij->i", vectors, rest) / np.maximum(np.linalg.norm(rest, axis=1), 1e-6)
    alike[np.arange(len(of)), of] = np.where(sizes[of] > 1, own, -np.inf)
    return np.asarray(alike, np.float32)


def to_neighbours(vectors: NDArray[np.float32], of: Int) -> NDArray[np.float32]:
    """(n, people) similarity of the most alike among the nearest faces that is the person's; -inf for all others."""
    alike = np.full((len(of), of.max() + 1), -np.inf, np.float32)
    for at in range(0, len(of), CHUNK):
        rows = np.arange(at, min(at + CHUNK, len(of)))
        near = vectors[rows] @ vectors.T
        near[np.arange(len(rows)), rows] = -np.inf
        nearest = np.argsort(-near, axis=1)[:, :NEIGHBOURS]
        for column in nearest.T[::-1]:  # the nearest last, so that it is what remains
            alike[rows, of[column]] = near[np.arange(len(rows)), column]
    return alike


def softmax(alike: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Rows that add up to 1."""
    shares = np.exp(temperature * (alike - alike.max(axis=1, keepdims=True)))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def sums_of(vectors: NDArray[np.float32], of: Int) -> tuple[NDArray[np.float32], Int]:
    """(people, d) sums of vectors and (people,) how many."""
    sums = np.zeros((int(of.max()) + 1, vectors.shape[1]), np.float32)
    np.add.at(sums, of, vectors)
    return sums, np.bincount(of)
