"""New faces join the clusters that are there, or form clusters among themselves, without a full run.

The stages are those of `cluster`, and each is exact in this sense: it is what the textbook algorithm does when it
starts with every old cluster as one group (and people's must-links merged), and never takes a pair of two old clusters.
Where all faces are new, the result is that of `cluster`.

1. Complete linkage: always the nearest two groups all of whose cross pairs lie within the core distance. A new face
   that is near to all of two old clusters joins the one whose farthest face is nearer, on a tie the one with the
   smaller first face.
2. Mean linkage of centroids, as in `merge_cores`, with the centroid of an old cluster in place of its cores', which no
   run keeps.
3. Single new faces and pairs join larger clusters, as in `join_small`. Stages 2 and 3 are gone through as often as
   `Thresholds.rounds` says.

What this costs grows with new faces x all clusters: distances between old faces are never asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.clustering.arrival_cores import allowed, arrival_graph, bridged
from annotation.clustering.arrival_evidence import merge_arrivals
from annotation.clustering.arrival_groups import ArrivalApartness, Renamed, first_groups
from annotation.clustering.centroids import Centroids, centroids
from annotation.clustering.constraints import Constraints
from annotation.clustering.graph import DEFAULT_MEMORY, check_distance
from annotation.clustering.groups import unconstrained
from annotation.clustering.impostors import Float32
from annotation.clustering.join_needs import SMALLEST_CLUSTER, affordable_joins, least_similarity, quality_of_groups
from annotation.clustering.joining import join_groups
from annotation.clustering.linkage import complete_linkage
from annotation.clustering.resolution import Clash, Resolution, resolve
from annotation.clustering.thresholds import JoinRule, Thresholds
from annotation.clustering.vectors import Indexes, Vectors, check_labels, check_vectors
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent

PROGRESS_STEPS = 1000
USUAL = 4096  # old single faces and pairs, evenly spaced, that new ones are compared with


@dataclass(frozen=True)
class Arrivals:
    """Where new faces went.

    Attributes:
        labels: int64 (n,); the old faces' as they were, new clusters numbered on from the largest of them by smallest
            face.
        bridges: int64 (m, 2), pairs of old clusters, smaller label first, that some new faces were near enough to join
            either of, in stage 1 or 2, and that nothing keeps apart: a full run might make them one.
        conflicts: human decisions that contradict each other, and which of them was not obeyed.
    """

    labels: Indexes
    bridges: Indexes
    conflicts: tuple[Clash, ...]


def join_arrivals(
    vectors: Vectors,
    settled: Indexes,
    *,
    constraints: Constraints | None = None,
    thresholds: Thresholds,
    quality: Float32 | None = None,
    memory_bytes: int = DEFAULT_MEMORY,
    progress: Progress = silent,
) -> Arrivals:
    """Joins new faces to clusters that stay as they are, obeying every human decision about the new faces.

    Args:
        vectors: float32 (n, d), L2-normalised rows of one embedding space, old and new faces in any order.
        settled: int64 (n,), the cluster of each old face, 0 or more (one that is alone has one of its own); -1 for a
            new face.
        constraints: what people and photos say of all n; None for nothing. Old clusters may contradict it.
        quality: float32 (n,), 0 to 1, of the faces, for the joins; None if not known.
        memory_bytes: bounds the searches for neighbours.
        progress: told of the searches; what it raises stops the work.

    Raises:
        InvalidInput: as `range_graph` (`graph_too_dense` where too many new faces are near each other: a full run,
            which can go in stages, is due), `Constraints.check`; `bad_quality`; labels that are no integers or
            below -1.
    """
    vectors = check_vectors(vectors)
    if quality is not None and quality.shape != (len(vectors),):
        raise InvalidInput(f"Quality of shape {quality.shape} does not fit {len(vectors)} faces.", code="bad_quality")
    settled = check_labels(settled, len(vectors), "settled")
    if len(settled) and settled.min() < -1:
        raise InvalidInput(f"settled must be -1 or more, not {settled.min()}.")
    check_distance(thresholds.core_distance)
    resolution = resolve(constraints or Constraints.none(len(vectors)), expected=len(vectors))
    if not np.any(settled < 0):
        progress(PROGRESS_STEPS, PROGRESS_STEPS)
        return Arrivals(settled, np.empty((0, 2), np.int64), resolution.clashes)
    joining = _Joining(vectors, settled, resolution, quality)
    joining.linkage(thresholds.core_distance, memory_bytes, _part(progress, 0.0, 0.8))
    for number in range(thresholds.rounds):
        begin, width = 0.8 + 0.2 * number / thresholds.rounds, 0.2 / thresholds.rounds
        joining.evidence(thresholds, memory_bytes, _part(progress, begin, begin + 0.75 * width))
        joining.joins(thresholds, _part(progress, begin + 0.75 * width, begin + width))
    progress(PROGRESS_STEPS, PROGRESS_STEPS)
    return Arrivals(joining.labels(), joining.bridges(), resolution.clashes)


class _Joining:
    """The groups while they merge; apartness knows a group by the number that its smallest part had at first."""

    def __init__(self, vectors: Vectors, settled: Indexes, resolution: Resolution, quality: Float32 | None) -> None:
        self._vectors, self._settled, self._quality = vectors, settled, quality
        self._groups = first_groups(settled, resolution)
        self._names = np.arange(len(self._groups))
        self._apart = ArrivalApartness(self._groups, resolution)
        self._bridges = [np.empty((0, 2), np.int64)]
        self._rule: JoinRule | None = None  # of the round before, than which no round is stricter

    def linkage(self, max_distance: float, memory_bytes: int, progress: Progress) -> None:
        """Stage 1."""
        graph = arrival_graph(
            self._vectors,
            self._groups,
            max_distance,
            memory_bytes=memory_bytes,
            progress=progress,
        )
        graph = allowed(graph, self._apart)
        self._note(bridged(graph, self._groups.fixed, self._apart))
        linkage = complete_linkage(graph, unconstrained(len(self._groups)))
        for kept, dissolved in linkage.merges.tolist():
            self._apart.merge(kept, dissolved)
        smallest = np.unique(linkage.labels, return_index=True)[1]
        self._merge(smallest[linkage.labels])

    def evidence(self, thresholds: Thresholds, memory_bytes: int, progress: Progress) -> None:
        """Stage 2."""
        if thresholds.merge_similarity is None:
            return
        if not -1 <= thresholds.merge_similarity <= 1:
            raise InvalidInput("A cosine similarity lies between -1 and 1.", code="bad_threshold")
        into, bridges = merge_arrivals(
            centroids(self._vectors, self._groups.of),
            self._groups.fixed,
            Renamed(self._apart, self._names),
            min_similarity=thresholds.merge_similarity,
            stranger_similarity=thresholds.stranger_similarity,
            memory_bytes=memory_bytes,
            progress=progress,
        )
        self._note(bridges)
        self._merge(into)

    def joins(self, thresholds: Thresholds, progress: Progress) -> None:
        """Stage 3."""
        if thresholds.joins is None:
            return
        rule = affordable_joins(self._vectors, self._groups.of, thresholds.joins, self._quality)
        self._rule = rule = rule if self._rule is None else rule.no_stricter_than(self._rule)
        groups = centroids(self._vectors, self._groups.of)
        some = self._for_joins(groups.sizes)
        part = Centroids(groups.directions[some], groups.sizes[some], groups.lengths[some])
        quality = None if self._quality is None else quality_of_groups(self._quality, self._groups.of)[some]
        needed = least_similarity(part, rule, quality)
        needed[self._groups.fixed[some]] = np.inf
        into = np.arange(len(self._groups))
        into[some] = some[join_groups(part, needed, rule, Renamed(self._apart, self._names[some]), progress)]
        self._merge(into)

    def _for_joins(self, sizes: Indexes) -> Indexes:
        """Groups that may join or be joined; and of the old ones that are too small for either, enough to tell what is
        usual among those that look for a cluster."""
        small = np.flatnonzero(self._groups.fixed & (sizes < SMALLEST_CLUSTER))
        usual = small[np.unique(np.linspace(0, len(small) - 1, USUAL).astype(np.int64))] if len(small) else small
        others = np.flatnonzero(~self._groups.fixed | (sizes >= SMALLEST_CLUSTER))
        return np.sort(np.concatenate([others, usual]))

    def labels(self) -> Indexes:
        """See `Arrivals`."""
        old = self._settled >= 0
        names = np.full(len(self._groups), -1, np.int64)
        names[self._groups.of[old]] = self._settled[old]
        fresh = names < 0
        names[fresh] = self._settled.max() + 1 + np.arange(int(fresh.sum()))
        return names[self._groups.of]

    def bridges(self) -> Indexes:
        """See `Arrivals`."""
        pairs = np.concatenate(self._bridges)
        found: Indexes = np.unique(np.sort(pairs, axis=1), axis=0)
        return found

    def _note(self, bridges: Indexes) -> None:
        """Keeps pairs of groups as pairs of old clusters."""
        cluster = np.full(len(self._groups), -1, np.int64)
        old = self._settled >= 0
        cluster[self._groups.of[old]] = self._settled[old]
        self._bridges.append(cluster[bridges])

    def _merge(self, into: Indexes) -> None:
        """`into` (k,) tells for each group the one that it is part of now, for which that is itself."""
        groups, standing = self._groups.merged(into), np.flatnonzero(into == np.arange(len(into)))
        names = np.empty(len(groups), np.int64)
        names[groups.of[self._groups.first[standing]]] = self._names[standing]
        self._groups, self._names = groups, names


def _part(progress: Progress, begin: float, end: float) -> Progress:
    """A stage's own progress as part of the whole."""

    def report(done: int, total: int) -> None:
        share = begin + (end - begin) * (done / total if total else 1.0)
        progress(int(share * PROGRESS_STEPS), PROGRESS_STEPS)

    return report
