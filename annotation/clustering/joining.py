"""Third stage: single faces and pairs join the larger cluster that they resemble.

Among n faces each has n chances to meet a stranger who looks alike, and thresholds must be strict. A blurred face
seldom reaches them. But clusters are far fewer than faces, so that, at the same number of mistakes, a face may join
one at a lower similarity than it needs to match another face. How many mistakes there may be is counted from how many
faces are near to some cluster, beyond what strangers would be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import faiss
import numpy as np

from annotation.clustering.apartness import Apartness
from annotation.clustering.evidence import Centroids, Float64, centroids
from annotation.clustering.false_share import affordable_neighbours
from annotation.clustering.resolution import Resolution
from annotation.clustering.thresholds import JoinRule
from annotation.clustering.vectors import Indexes, Vectors, check_labels, check_vectors, dot_error, number_clusters
from foundation.progress import Progress, silent

SMALLEST_CLUSTER = 3  # faces; smaller groups join, these are joined
BLOCK = 4096  # joiners that are looked up at a time
COUNTED = 4096  # of the joiners, evenly spaced, from which the affordable joins are counted
COUNTED_ENTRIES = 1 << 24  # similarities at a time


def join_small(
    vectors: Vectors, labels: Indexes, resolution: Resolution, rule: JoinRule, *, progress: Progress = silent
) -> Indexes:
    """Each single face or pair joins the most similar cluster that is larger, has 3 faces or more, is allowed by the
    constraints and near enough for the rule. The most similar go first, ties by smallest face.

    Args:
        vectors: float32 (n, d), unit rows.
        labels: int64 (n,), numbered by smallest member, must-link components whole.

    Returns:
        Labels int64 (n,), numbered by smallest member.
    """
    vectors = check_vectors(vectors)
    labels = number_clusters(check_labels(labels, len(vectors)))
    groups = centroids(vectors, labels)
    into = join_groups(groups, least_similarity(groups.sizes, rule), rule, Apartness(labels, resolution), progress)
    return number_clusters(into[labels])


def affordable_joins(vectors: Vectors, labels: Indexes, rule: JoinRule) -> JoinRule:
    """The rule with as many false joins as its false share makes of these clusters; itself if it has none.

    Args:
        vectors: float32 (n, d), unit rows.
        labels: int64 (n,), numbered by smallest member.
    """
    if rule.false_share is None:
        return rule
    groups = centroids(vectors, labels)
    joiners, clusters = (
        np.flatnonzero(groups.sizes < SMALLEST_CLUSTER),
        np.flatnonzero(groups.sizes >= SMALLEST_CLUSTER),
    )
    if not len(joiners) or not len(clusters):
        return replace(rule, false_share=None)
    some = joiners[np.unique(np.linspace(0, len(joiners) - 1, COUNTED).astype(np.int64))]
    found = affordable_neighbours(
        _nearest(groups, some, clusters, rule.stranger_similarity),
        rule.impostors,
        others=len(clusters),
        share=rule.false_share,
        usual=rule.false_joins,
    )
    return replace(rule, false_joins=found, false_share=None)


def _nearest(groups: Centroids, joiners: Indexes, clusters: Indexes, stranger_similarity: float) -> Float64:
    """(m,) similarity of each joiner to the nearest cluster, adjusted as in `merge_cores`."""
    nearest = np.empty(len(joiners))
    height = max(1, COUNTED_ENTRIES // len(clusters))
    for at in range(0, len(joiners), height):
        rows = joiners[at : at + height]
        similarity = groups.directions[rows] @ groups.directions[clusters].T
        amplified = 1 / (groups.lengths[rows, None] * groups.lengths[clusters])
        nearest[at : at + height] = np.max(similarity - stranger_similarity * (amplified - 1), axis=1)
    return nearest


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


def least_similarity(sizes: Indexes, rule: JoinRule) -> Float64:
    """The similarity that each group needs; infinite for those too large to join."""
    least = np.full(len(sizes), np.inf)
    clusters = int(np.sum(sizes >= SMALLEST_CLUSTER))
    for faces in range(1, SMALLEST_CLUSTER) if clusters else ():
        least[sizes == faces] = rule.similarity(faces=faces, clusters=clusters)
    return least


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
