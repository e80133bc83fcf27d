"""Third stage: single faces and pairs join the larger cluster that they resemble.

Among n faces each has n chances to meet a stranger who looks alike, and thresholds must be strict. A blurred face
seldom reaches them. But clusters are far fewer than faces, so that, at the same number of mistakes, a face may join
one at a lower similarity than it needs to match another face. `join_needs` says at which.
"""

from __future__ import annotations

from typing import Protocol

import faiss
import numpy as np

from annotation.clustering.apartness import Apartness
from annotation.clustering.centroids import Centroids, Float64, centroids
from annotation.clustering.impostors import Float32
from annotation.clustering.join_needs import SMALLEST_CLUSTER, least_similarity, quality_of_groups
from annotation.clustering.resolution import Resolution
from annotation.clustering.thresholds import JoinRule
from annotation.clustering.vectors import Indexes, Vectors, check_labels, check_vectors, dot_error, number_clusters
from foundation.progress import Progress, silent

BLOCK = 4096  # joiners that are looked up at a time


def join_small(
    vectors: Vectors,
    labels: Indexes,
    resolution: Resolution,
    rule: JoinRule,
    *,
    quality: Float32 | None = None,
    progress: Progress = silent,
) -> Indexes:
    """Each single face or pair joins the most similar cluster that is larger, has 3 faces or more, is allowed by the
    constraints and near enough for the rule. The most similar go first, ties by smallest face.

    Args:
        vectors: float32 (n, d), unit rows.
        labels: int64 (n,), numbered by smallest member, must-link components whole.
        quality: float32 (n,), 0 to 1; None to take all faces for good.

    Returns:
        Labels int64 (n,), numbered by smallest member.
    """
    vectors = check_vectors(vectors)
    labels = number_clusters(check_labels(labels, len(vectors)))
    groups = centroids(vectors, labels)
    needed = least_similarity(groups, rule, None if quality is None else quality_of_groups(quality, labels))
    into = join_groups(groups, needed, rule, Apartness(labels, resolution), progress)
    return number_clusters(into[labels])


class Apart(Protocol):
    """Which groups may never become one, kept up to date while they merge."""

    def forbids(self, a: int, b: int) -> bool: ...

    def merge(self, kept: int, dissolved: int) -> None: ...


def join_groups(
    groups: Centroids, needed: Float64, rule: JoinRule, apart: Apart, progress: Progress = silent
) -> Indexes:
    """`join_small` of groups, each of which joins at the similarity that it needs; the group of each, int64 (k,)."""
    joiners, clusters, similarities = _candidates(groups, needed, rule, progress)
    into = np.arange(len(groups.sizes))
    for at in np.lexsort((clusters, joiners, -similarities)).tolist():
        joiner, cluster = int(joiners[at]), int(clusters[at])
        if into[joiner] == joiner and not apart.forbids(joiner, cluster):
            into[joiner] = cluster
            apart.merge(cluster, joiner)
    return into


def _candidates(
    groups: Centroids, needed: Float64, rule: JoinRule, progress: Progress
) -> tuple[Indexes, Indexes, Float64]:
    """Pairs (joiner, cluster) that are near enough, and their similarities, adjusted as in `merge_cores`."""
    joiners, clusters = np.flatnonzero(np.isfinite(needed)), np.flatnonzero(groups.sizes >= SMALLEST_CLUSTER)
    found = [(joiners[:0], clusters[:0], np.empty(0))]
    index = faiss.IndexFlatIP(groups.directions.shape[1])
    index.add(groups.directions[clusters])
    for at in range(0, len(joiners), BLOCK):
        rows = joiners[at : at + BLOCK]
        radius = float(needed[rows].min()) - dot_error(groups.directions.shape[1]) - 2**-20
        limits, _, hits = index.range_search(groups.directions[rows], radius)
        joiner, cluster = np.repeat(rows, np.diff(limits).astype(np.int64)), clusters[hits]
        similarity = np.einsum("ij,ij->i", groups.directions[joiner], groups.directions[cluster], dtype=np.float64)
        amplified = 1 / (groups.lengths[joiner] * groups.lengths[cluster])
        similarity -= rule.stranger_similarity * (amplified - 1)
        keep = similarity >= needed[joiner]
        found.append((joiner[keep], cluster[keep], similarity[keep]))
        progress(min(at + BLOCK, len(joiners)), len(joiners))
    joiner, cluster, similarity = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return joiner, cluster, similarity
