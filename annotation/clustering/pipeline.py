"""The whole clustering of one embedding space: graph, cores, evidence merges, joins, explanations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from annotation.clustering.constraints import Constraints
from annotation.clustering.evidence import Evidence, merge_evidence
from annotation.clustering.explanation import Explanation, explain
from annotation.clustering.graph import DEFAULT_MEMORY
from annotation.clustering.growth import linkage_within
from annotation.clustering.impostors import Float32
from annotation.clustering.join_needs import affordable_joins
from annotation.clustering.joining import join_small
from annotation.clustering.linkage import Linkage
from annotation.clustering.resolution import Clash, Resolution, resolve
from annotation.clustering.thresholds import JoinRule, Thresholds
from annotation.clustering.vectors import Indexes, Vectors, check_vectors
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent

PROGRESS_STEPS = 1000


@dataclass(frozen=True)
class Clustering:
    """Clusters of n faces. Labels count from 0 in the order of each cluster's smallest face.

    Attributes:
        labels: int64 (n,), the clusters.
        core_labels: int64 (n,), the complete-linkage cores that they are made of.
        linkage: the dendrogram of the cores; cut it lower for free.
        explanation: per cluster size, widest pair, medoid, weakest face.
        conflicts: human decisions that contradict each other, and which of them was not obeyed.
        thresholds: what was asked for, with the false joins that were found to pay.
        edges: pairs of faces within core_distance; where these would not fit the memory, those of each stage.
        evidence: what merged in each round, beginning with the cores and going on with what the round before left.
    """

    labels: Indexes
    core_labels: Indexes
    linkage: Linkage
    explanation: Explanation
    conflicts: tuple[Clash, ...]
    thresholds: Thresholds
    edges: int
    evidence: tuple[Evidence, ...] = ()

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Faces per cluster, int64 (k,)."""
        return self.explanation.sizes


def cluster(
    vectors: Vectors,
    *,
    constraints: Constraints | None = None,
    thresholds: Thresholds,
    quality: Float32 | None = None,
    memory_bytes: int = DEFAULT_MEMORY,
    device: str | None = None,
    progress: Progress = silent,
) -> Clustering:
    """Clusters faces by person, obeying every human decision.

    Args:
        vectors: float32 (n, d), L2-normalised rows of one embedding space.
        constraints: what people and photos say; None for nothing.
        quality: float32 (n,), 0 to 1, of the faces, for the joins; None if not known.
        memory_bytes: bounds the search for neighbours.
        device: the torch device on which the cores' graph is searched for, see `linkage_within`; None for the CPU.
        progress: told of the searches, 90% for the cores' graph; what it raises stops the work.

    Raises:
        InvalidInput: see `linkage_within` and `Constraints.check`; code `bad_quality`.
    """
    vectors = check_vectors(vectors)
    if quality is not None and quality.shape != (len(vectors),):
        raise InvalidInput(f"Quality of shape {quality.shape} does not fit {len(vectors)} faces.", code="bad_quality")
    resolution = resolve(constraints or Constraints.none(len(vectors)), expected=len(vectors))
    linkage, edges = linkage_within(
        vectors,
        resolution,
        thresholds.core_distance,
        memory_bytes=memory_bytes,
        device=device,
        progress=_part(progress, 0.0, 0.9),
    )
    labels, joins = linkage.labels, thresholds.joins
    rounds: list[Evidence] = []
    for number in range(thresholds.rounds):
        part = _part(progress, 0.9 + 0.1 * number / thresholds.rounds, 0.9 + 0.1 * (number + 1) / thresholds.rounds)
        labels, joins, merges = _round(vectors, labels, resolution, thresholds, joins, quality, memory_bytes, part)
        rounds += merges
    thresholds = replace(thresholds, joins=joins)
    explanation = explain(vectors, labels)
    progress(PROGRESS_STEPS, PROGRESS_STEPS)
    return Clustering(
        labels, linkage.labels, linkage, explanation, resolution.clashes, thresholds, edges, tuple(rounds)
    )


def _round(
    vectors: Vectors,
    labels: Indexes,
    resolution: Resolution,
    thresholds: Thresholds,
    before: JoinRule | None,
    quality: Float32 | None,
    memory_bytes: int,
    progress: Progress,
) -> tuple[Indexes, JoinRule | None, list[Evidence]]:
    """Evidence merges and joins; the labels, the rule of the joins, no stricter than in the rounds before, and the
    merges, if any were asked for."""
    merges = []
    if thresholds.merge_similarity is not None:
        found = merge_evidence(
            vectors,
            labels,
            resolution,
            min_similarity=thresholds.merge_similarity,
            stranger_similarity=thresholds.stranger_similarity,
            memory_bytes=memory_bytes,
            progress=_half(progress, 0),
        )
        labels, merges = found.labels, [found]
    if thresholds.joins is None or before is None:
        return labels, None, merges
    rule = affordable_joins(vectors, labels, thresholds.joins, quality)
    if before.false_share is None:
        rule = rule.no_stricter_than(before)
    return join_small(vectors, labels, resolution, rule, quality=quality, progress=_half(progress, 1)), rule, merges


def _half(progress: Progress, half: int) -> Progress:
    """The first or the second half of a round."""
    return lambda done, total: progress(half * max(total, 1) + done, 2 * max(total, 1))


def _part(progress: Progress, begin: float, end: float) -> Progress:
    """A stage's own progress as part of the whole."""

    def report(done: int, total: int) -> None:
        share = begin + (end - begin) * (done / total if total else 1.0)
        progress(int(share * PROGRESS_STEPS), PROGRESS_STEPS)

    return report
