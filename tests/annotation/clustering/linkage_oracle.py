"""Textbook algorithms on full matrices, slow and obvious, to compare with."""

from __future__ import annotations

import itertools

import numpy as np

from annotation.clustering import Centroids, Constraints, Resolution

Groups = list[list[int]]


def labels_of(groups: Groups, n: int) -> list[int]:
    labels = [-1] * n
    for label, members in enumerate(sorted(groups, key=min)):
        for member in members:
            labels[member] = label
    return labels


def components(resolution: Resolution) -> Groups:
    count = int(resolution.component.max(initial=-1)) + 1
    return [np.flatnonzero(resolution.component == c).tolist() for c in range(count)]


def may_link(a: list[int], b: list[int], resolution: Resolution) -> bool:
    cannot = {tuple(pair) for pair in resolution.cannot.tolist()}
    for i, j in itertools.product(a, b):
        if resolution.photo[i] >= 0 and resolution.photo[i] == resolution.photo[j]:
            return False
        if min(resolution.identity[i], resolution.identity[j]) >= 0 and (
            resolution.identity[i] != resolution.identity[j]
        ):
            return False
        if (min(i, j), max(i, j)) in cannot:
            return False
    return True


def complete_linkage_oracle(
    distances: np.ndarray, resolution: Resolution, threshold: float
) -> tuple[list[int], list[float]]:
    """Always merges the first pair by (distance, smallest face, other's smallest face); labels and merge heights."""
    groups, heights = components(resolution), []
    while True:
        best = None
        for a, b in itertools.combinations(sorted(groups, key=min), 2):
            widest = max(distances[i, j] for i in a for j in b)
            if widest <= np.float32(threshold) and may_link(a, b, resolution) and (best is None or widest < best[0]):
                best = (widest, a, b)
        if best is None:
            return labels_of(groups, len(distances)), heights
        heights.append(float(best[0]))
        groups = [g for g in groups if g is not best[1] and g is not best[2]] + [best[1] + best[2]]


def mean_linkage_oracle(
    centroids: Centroids, cores: Groups, resolution: Resolution, min_similarity: float, stranger: float
) -> Groups:
    """Mean linkage of cores on all pairs; groups of faces."""
    groups: Groups = [[g] for g in range(len(cores))]
    cosine = centroids.directions.astype(np.float64) @ centroids.directions.T.astype(np.float64)
    adjusted = cosine - stranger * (1 / np.outer(centroids.lengths, centroids.lengths) - 1)

    def faces(group: list[int]) -> list[int]:
        return [face for core in group for face in cores[core]]

    while True:
        best = None
        for a, b in itertools.combinations(sorted(groups, key=min), 2):
            weights = np.outer(centroids.sizes[a], centroids.sizes[b])
            similarity = float(np.average(adjusted[np.ix_(a, b)], weights=weights))
            allowed = similarity >= min_similarity and may_link(faces(a), faces(b), resolution)
            if allowed and (best is None or similarity > best[0]):
                best = (similarity, a, b)
        if best is None:
            return [faces(group) for group in groups]
        groups = [g for g in groups if g is not best[1] and g is not best[2]] + [best[1] + best[2]]


def violations(labels: np.ndarray, constraints: Constraints, resolution: Resolution) -> list[tuple[int, int]]:
    """Pairs of faces that the labels treat against what holds."""
    wrong = []
    for i, j in itertools.combinations(range(len(labels)), 2):
        together = bool(labels[i] == labels[j])
        must = bool(resolution.component[i] == resolution.component[j])
        if must != together and (must or not may_link([i], [j], resolution)):
            wrong.append((i, j))
        same_identity = constraints.identity[i] >= 0 and constraints.identity[i] == constraints.identity[j]
        if same_identity and not together:
            wrong.append((i, j))
    return wrong
