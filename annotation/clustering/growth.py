"""Complete linkage in stages where the graph of all near pairs would not fit the memory; as exact as in one.

Clusters at a small distance are a refinement of those at a larger one, and the merges do not depend on where one
pauses: complete linkage takes pairs in the order (distance, smaller node, larger node), and never goes back in it. So
each stage takes as many of the nearest pairs as fit, merges them, and the next begins with the clusters as nodes, which
have far fewer pairs all of whose faces are near.
"""

from __future__ import annotations

import numpy as np

from annotation.clustering.apartness import Apartness
from annotation.clustering.copies import copies, merge_copies
from annotation.clustering.graph import DEFAULT_MEMORY, check_distance, range_graph
from annotation.clustering.group_graph import Budget, group_graph
from annotation.clustering.groups import Groups, unconstrained
from annotation.clustering.linkage import Linkage, complete_linkage
from annotation.clustering.resolution import Resolution
from annotation.clustering.ties import merge_tied
from annotation.clustering.vectors import Indexes, Vectors, check_vectors
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent

PROGRESS_STEPS = 1000


def linkage_within(
    vectors: Vectors,
    resolution: Resolution,
    max_distance: float,
    *,
    memory_bytes: int = DEFAULT_MEMORY,
    device: str | None = None,
    progress: Progress = silent,
) -> tuple[Linkage, int]:
    """Exact complete linkage up to `max_distance`, from one graph where it fits `memory_bytes`, else in stages.

    The one graph is searched for on `device`, a torch device, None for the CPU; stages always work on the CPU. Not yet
    run on a GPU.

    Returns:
        The linkage, and how many edges its graphs had.

    Raises:
        InvalidInput: see `range_graph`, but never `graph_too_dense`; `memory_too_small` where what must be known of
            each face does not fit.
    """
    rising = _Rising(progress)
    try:
        graph = range_graph(
            vectors, max_distance, memory_bytes=memory_bytes, device=device or "cpu", progress=rising.part(1.0)
        )
    except InvalidInput as error:
        if error.code != "graph_too_dense":
            raise
    else:
        return complete_linkage(graph, resolution), len(graph)
    budget = Budget.within(memory_bytes, *vectors.shape)
    return grow(vectors, resolution, max_distance, budget, rising.part(1.0))


def grow(
    vectors: Vectors, resolution: Resolution, max_distance: float, budget: Budget, progress: Progress = silent
) -> tuple[Linkage, int]:
    """`linkage_within`, in stages that each keep to the budget."""
    vectors = check_vectors(vectors)
    check_distance(max_distance)
    if len(resolution.component) != len(vectors):
        raise InvalidInput(f"Constraints for {len(resolution.component)} faces do not fit {len(vectors)} vectors.")
    rising = _Rising(progress)
    same = copies(vectors)
    stages = [merge_copies(vectors, same, resolution, max_distance, budget, rising.part(0.3))]
    labels, edges = stages[0].labels, 0
    while True:
        groups = Groups.of(vectors, labels, same, resolution)
        graph = group_graph(vectors, groups, max_distance, budget, rising.part(0.3))
        if len(graph) or graph.max_distance >= max_distance:
            stage = complete_linkage(graph, unconstrained(len(groups)))
        else:  # the pairs of one distance are too many, and there are none below
            height = np.nextafter(np.float32(graph.max_distance), np.float32(2)) + np.float32(0)
            apart = Apartness(labels, resolution)
            stage = merge_tied(vectors, groups, height, apart, same, budget, rising.part(0.3))
        edges += len(graph)
        stages.append(_over_components(stage, labels, resolution.component))
        labels = stage.labels[labels]
        if graph.max_distance >= max_distance:
            return _joined(stages, max_distance, resolution.component), edges


def _over_components(stage: Linkage, labels: Indexes, component: Indexes) -> Linkage:
    """The same merges between the components of faces: a group goes by its smallest."""
    _, first = np.unique(labels, return_index=True)
    return Linkage(stage.max_distance, component, component[first][stage.merges], stage.heights)


def _joined(stages: list[Linkage], max_distance: float, component: Indexes) -> Linkage:
    merges = np.concatenate([stage.merges for stage in stages])
    heights = np.concatenate([stage.heights for stage in stages])
    order = np.lexsort((merges[:, 1], merges[:, 0], heights))
    return Linkage(max_distance, component, merges[order], heights[order])


class _Rising:
    """Progress of stages whose number is not known beforehand: each takes its share of what is left."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._reached = progress, 0.0

    def part(self, share: float) -> Progress:
        begin, width = self._reached, share * (1 - self._reached)

        def report(done: int, total: int) -> None:
            self(int(1e6 * (begin + width * (done / total if total else 1.0))), 1_000_000)

        return report

    def __call__(self, done: int, total: int) -> None:
        self._reached = max(self._reached, done / total)
        self._progress(int(self._reached * PROGRESS_STEPS), PROGRESS_STEPS)
