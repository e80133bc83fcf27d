"""The same faces as a second embedding model sees them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from annotation.clustering.calibration import calibrate
from annotation.clustering.thresholds import Thresholds
from annotation.models import ClusterRun, EmbeddingSpace
from annotation.queries.vectors import FaceVectors, load_vectors
from annotation.services.calibrations import prior_of
from foundation.errors import Conflict
from foundation.progress import Progress, silent
from mining.strategies.pool import Pool

NEEDED_BY = frozenset({"model_disagreement"})


def require_other_space(run: ClusterRun) -> EmbeddingSpace:
    """The newest space beside the run's that has vectors: the challenger's, or that of an earlier champion.

    Raises Conflict (`one_model`).
    """
    others = EmbeddingSpace.objects.exclude(pk=run.space_id).filter(vectors__isnull=False).distinct()
    found = others.select_related("release").order_by("-pk").first()
    if found is None:
        raise Conflict(
            "Only one embedding model has seen the photos, so there are no two that could disagree. Train another one, "
            "or leave out the strategy model_disagreement.",
            code="one_model",
        )
    return found


def with_other_model(
    pool: Pool, run: ClusterRun, *, leave_out: Collection[int] = (), progress: Progress = silent
) -> Pool:
    """The pool with `other`: its faces that have a vector in the other space. Raises Conflict (`one_model`)."""
    space = require_other_space(run)
    faces = load_vectors(space, leave_out=leave_out, progress=progress)
    there = np.isin(faces.face_ids, pool.face_ids)
    thresholds = _thresholds(space, faces)
    merge = thresholds.merge_similarity
    other = replace(
        pool.take(np.searchsorted(pool.face_ids, faces.face_ids[there])),
        vectors=faces.vectors[there],
        threshold=1 - thresholds.core_distance if merge is None else merge,
        strangers=thresholds.stranger_similarity,
        model=str(space.release),
    )
    return replace(pool, other=other)


def _thresholds(space: EmbeddingSpace, faces: FaceVectors) -> Thresholds:
    """As its last clustering found them; of a space that was never clustered, from its vectors."""
    known = space.calibration.get("thresholds")
    return Thresholds.from_record(known) if known else calibrate(faces.vectors, prior=prior_of(space)).thresholds
