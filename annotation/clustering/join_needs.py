"""How alike a face or a pair must be to a cluster to join it, counted without labels.

Strangers are not alike to all in equal measure: a blurred face, or one of a large family of looks, is nearer to every
cluster than a clear one. So half of what a face has in common with the clusters next to its nearest (its cohort) comes
off, as speaker recognition does (adaptive symmetric score normalisation: Matějka et al., Interspeech 2017; half, as the
cluster's own side counts for nothing here). Then the impostors are fitted to what is left between joiners and clusters,
nearly all of them strangers, and the false joins that pay follow as in `false_share`. They are counted for faces of
poor and of good quality apart, as a clear face that is still alone mostly has no other photo.
"""

from __future__ import annotations

from dataclasses import replace

import faiss
import numpy as np

from annotation.clustering.centroids import Centroids, Float64, centroids
from annotation.clustering.false_share import affordable_neighbours
from annotation.clustering.impostors import Float32, fit_bulk
from annotation.clustering.thresholds import JoinRule
from annotation.clustering.vectors import Indexes, Vectors

SMALLEST_CLUSTER = 3  # faces; smaller groups join, these are joined
LEAST_JOINERS = 100  # of poor quality, and of good, that counting them apart needs
LEAST_PAIRS = 2000  # of joiners and clusters that a fit needs
MOST_PAIRS = 1 << 22  # that it takes
COUNTED = 4096  # of the joiners, evenly spaced, from which the affordable joins are counted
COUNTED_ENTRIES = 1 << 24  # similarities at a time
BLOCK = 4096  # joiners that are looked up at a time


def affordable_joins(vectors: Vectors, labels: Indexes, rule: JoinRule, quality: Float32 | None = None) -> JoinRule:
    """The rule with impostors and false joins as its false share makes them for these clusters; itself if it has none.

    Args:
        vectors: float32 (n, d), unit rows.
        labels: int64 (n,), numbered by smallest member.
        quality: float32 (n,), 0 to 1; None to take all faces for equally good.
    """
    if rule.false_share is None:
        return rule
    groups = centroids(vectors, labels)
    joiners, clusters = _sides(groups)
    if not len(joiners) or not len(clusters):
        return replace(rule, false_share=None)
    some = _evenly(joiners, COUNTED)
    needs = _cohort_needs(groups, some, clusters, rule)
    if len(some) * len(clusters) >= LEAST_PAIRS:
        few = _evenly(np.arange(len(some)), max(1, MOST_PAIRS // len(clusters)))
        left = _similarities(groups, some[few], clusters, rule) - needs[few, None].astype(np.float32)
        mean, spread = fit_bulk(left.ravel())
        fitted = replace(rule, shares=(1.0,), means=(mean,), spreads=(spread,))
    else:
        fitted = rule
    nearest = _nearest(groups, some, clusters, rule) - needs
    good = np.ones(len(some)) if quality is None else quality_of_groups(quality, labels)[some]
    below = _parting(good)
    joins, poor = (
        affordable_neighbours(
            nearest[part], fitted.impostors, others=len(clusters), share=rule.false_share, usual=rule.false_joins
        )
        for part in (good >= below, good < below)
    )
    return replace(fitted, false_joins=joins, poor_joins=poor, poor_below=below, false_share=None)


def quality_of_groups(quality: Float32, labels: Indexes) -> Float64:
    """(k,) mean quality of each cluster's faces."""
    return np.asarray(np.bincount(labels, quality) / np.maximum(np.bincount(labels), 1))


def _parting(quality: Float64) -> float:
    """The quality that parts the poor from the good so that each are as much alike as can be (Otsu, 1979); 0 where
    either would be too few or all are equal."""
    ordered = np.sort(quality)
    below = np.arange(LEAST_JOINERS, len(ordered) - LEAST_JOINERS + 1)
    if not len(below) or ordered[0] == ordered[-1]:
        return 0.0
    totals = np.concatenate([[0.0], np.cumsum(ordered)])
    gap = totals[below] / below - (totals[-1] - totals[below]) / (len(ordered) - below)
    return float(ordered[below[np.argmax(gap**2 * below * (len(ordered) - below))]])


def least_similarity(groups: Centroids, rule: JoinRule, quality: Float64 | None = None) -> Float64:
    """(k,) the similarity to a cluster that each group needs; infinite for those too large to join.

    Args:
        quality: (k,) of the groups; None to take all for good.
    """
    least = np.full(len(groups.sizes), np.inf)
    joiners, clusters = _sides(groups)
    if len(joiners) and len(clusters):
        poor = np.zeros(len(least), np.bool_) if quality is None else quality < rule.poor_below
        needed = np.array(
            [
                [rule.similarity(faces=faces, clusters=len(clusters), poor=bad) for faces in range(1, SMALLEST_CLUSTER)]
                for bad in (False, True)
            ]
        )
        least[joiners] = needed[poor[joiners].astype(np.int64), groups.sizes[joiners] - 1]
        least[joiners] += _cohort_needs(groups, joiners, clusters, rule)
    return least


def _sides(groups: Centroids) -> tuple[Indexes, Indexes]:
    """Groups that may join, and clusters that may be joined."""
    return np.flatnonzero(groups.sizes < SMALLEST_CLUSTER), np.flatnonzero(groups.sizes >= SMALLEST_CLUSTER)


def _evenly(indexes: Indexes, most: int) -> Indexes:
    """At most so many of them, evenly spaced."""
    return indexes[np.unique(np.linspace(0, len(indexes) - 1, most).astype(np.int64))]


def _cohort_needs(groups: Centroids, joiners: Indexes, clusters: Indexes, rule: JoinRule) -> Float64:
    """(m,) by how much more, or less, than the median joiner each must be alike to its nearest cluster."""
    cohort = min(rule.cohort, len(clusters) - 1)
    common = np.zeros(len(joiners))
    if cohort < 1:
        return common
    index = faiss.IndexFlatIP(groups.directions.shape[1])
    index.add(groups.directions[clusters])
    for at in range(0, len(joiners), BLOCK):
        rows = joiners[at : at + BLOCK]
        similarity, nearest = index.search(groups.directions[rows], cohort + 1)
        common[at : at + BLOCK] = _adjusted(similarity, groups, rows, clusters[nearest], rule)[:, 1:].mean(axis=1)
    return np.asarray((common - np.median(common)) / 2)


def _nearest(groups: Centroids, joiners: Indexes, clusters: Indexes, rule: JoinRule) -> Float64:
    """(m,) similarity of each joiner to the nearest cluster."""
    nearest = np.empty(len(joiners))
    height = max(1, COUNTED_ENTRIES // len(clusters))
    for at in range(0, len(joiners), height):
        rows = joiners[at : at + height]
        nearest[at : at + height] = np.max(_similarities(groups, rows, clusters, rule), axis=1)
    return nearest


def _similarities(groups: Centroids, joiners: Indexes, clusters: Indexes, rule: JoinRule) -> Float32:
    """(m, k) of all of these pairs."""
    similarity = groups.directions[joiners] @ groups.directions[clusters].T
    return _adjusted(similarity, groups, joiners, clusters[None], rule)


def _adjusted(similarity: Float32, groups: Centroids, joiners: Indexes, clusters: Indexes, rule: JoinRule) -> Float32:
    """Less what strangers' means have in common for being means, as in `merge_cores`."""
    amplified = 1 / (groups.lengths[joiners, None] * groups.lengths[clusters])
    return np.asarray(similarity - rule.stranger_similarity * (amplified - 1), np.float32)
