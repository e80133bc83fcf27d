"""Second stage: cores of one person, too wide for complete linkage, merge on the evidence of all their faces.

Complete linkage asks that the two least alike faces match; cores are pure but a person with many photos has several.
Averaging takes the noise of single photos out of a core's centroid, while two strangers' centroids stay about as far
apart as two of their photos: one threshold serves all sizes, and mean linkage over centroids finds the cores' persons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotation.clustering.apartness import Facts
from annotation.clustering.centroids import centroids
from annotation.clustering.graph import DEFAULT_MEMORY, range_graph
from annotation.clustering.linkage import roots
from annotation.clustering.mean_linkage import ANY, Bodies, merge_down_to
from annotation.clustering.mean_stages import BYTES_PER_PAIR, merge_in_stages
from annotation.clustering.resolution import Resolution
from annotation.clustering.vectors import Indexes, Vectors, check_labels, check_vectors, number_clusters
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """Mean linkage of cores; what merged, and how alike.

    Attributes:
        min_similarity: merges stop here.
        core_labels: int64 (n,), the core of each face, numbered by smallest member.
        kept, dissolved: int64 (m,), pairs of cores that were merged, in their order; the smaller one stands for the
            merged group afterwards.
        similarities: float64 (m,), the mean similarity of the two groups, falling but for rounding.
    """

    min_similarity: float
    core_labels: Indexes
    kept: Indexes
    dissolved: Indexes
    similarities: Float64

    def cut(self, similarity: float) -> Indexes:
        """Labels int64 (n,) at a similarity >= min_similarity, numbered by smallest member."""
        if similarity < self.min_similarity:
            raise InvalidInput(
                f"These merges end at {self.min_similarity:g}; they cannot be cut at {similarity:g}.",
                code="bad_threshold",
            )
        merged = int(np.sum(np.minimum.accumulate(self.similarities) >= similarity))
        parent = np.arange(self.core_labels.max(initial=-1) + 1)
        parent[self.dissolved[:merged]] = self.kept[:merged]
        return number_clusters(roots(parent)[self.core_labels])

    @property
    def labels(self) -> Indexes:
        """Labels int64 (n,) after all merges."""
        return self.cut(self.min_similarity)


def merge_cores(
    vectors: Vectors,
    core_labels: Indexes,
    resolution: Resolution,
    *,
    min_similarity: float,
    stranger_similarity: float = 0.0,
    memory_bytes: int = DEFAULT_MEMORY,
    progress: Progress = silent,
) -> Indexes:
    """The labels of `merge_evidence`, int64 (n,), numbered by smallest member."""
    return merge_evidence(
        vectors,
        core_labels,
        resolution,
        min_similarity=min_similarity,
        stranger_similarity=stranger_similarity,
        memory_bytes=memory_bytes,
        progress=progress,
    ).labels


def merge_evidence(
    vectors: Vectors,
    core_labels: Indexes,
    resolution: Resolution,
    *,
    min_similarity: float,
    stranger_similarity: float = 0.0,
    memory_bytes: int = DEFAULT_MEMORY,
    progress: Progress = silent,
) -> Evidence:
    """Mean linkage between cores down to `min_similarity`, obeying the constraints exactly.

    The similarity of two groups is the mean cosine similarity of their cores' normalised centroids, each pair of cores
    weighted by the product of their sizes. Strangers are a little alike on average (`stranger_similarity`), and means
    of many faces more so, by 1 / (product of the means' lengths); the surplus is taken off. Such a mean reaches the
    threshold only where some pair of centroids does, so a range graph of these holds all that can merge. Ties go to the
    smallest core. Where this graph would not fit, the same merges are found in stages.

    Args:
        vectors: float32 (n, d), unit rows.
        core_labels: int64 (n,), any numbers, must-link components whole.
        memory_bytes: bounds the pairs of cores that are kept at a time and the search for them; the centroids, some
            12 bytes per core and dimension, and one pair of each core are held in any case.
    """
    if not -1 <= min_similarity <= 1:
        raise InvalidInput(f"A cosine similarity lies between -1 and 1, not at {min_similarity}.", code="bad_threshold")
    vectors = check_vectors(vectors)
    core_labels = number_clusters(check_labels(core_labels, len(vectors), "core_labels"))
    if len(resolution.component) != len(vectors):
        raise InvalidInput(f"Constraints for {len(resolution.component)} faces do not fit {len(vectors)} vectors.")
    cores = centroids(vectors, core_labels)
    rising = _rising(progress)
    reach = min(2.0, 1 - min_similarity + 2**-20)
    sums = cores.directions.astype(np.float64) * cores.sizes[:, None]
    bodies = Bodies(sums, cores.sizes.astype(np.float64), cores.sizes / cores.lengths, stranger_similarity)
    facts = Facts.of(core_labels, resolution)
    try:
        graph = range_graph(cores.directions, reach, memory_bytes=memory_bytes // 4, progress=rising)
    except InvalidInput as error:
        if error.code != "graph_too_dense":
            raise
        merges = merge_in_stages(bodies, facts, min_similarity, pairs=memory_bytes // BYTES_PER_PAIR, progress=rising)
    else:
        merges = merge_down_to(bodies, facts, graph.rows, graph.columns, (min_similarity, ANY, ANY))
    return Evidence(min_similarity, core_labels, merges.kept, merges.dissolved, merges.similarities)


def _rising(progress: Progress) -> Progress:
    """Progress that never falls, though a search begins anew."""
    reached = 0.0

    def report(done: int, total: int) -> None:
        nonlocal reached
        reached = max(reached, done / total if total else 1.0)
        progress(int(1e6 * reached), 1_000_000)

    return report
