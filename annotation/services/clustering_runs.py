"""Clustering a space, storing what came out, and labelling by it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.clustering.histogram import histogram
from annotation.clustering.pipeline import Clustering, cluster
from annotation.clustering.thresholds import Thresholds
from annotation.ledger.constraints import constraints
from annotation.ledger.entries import Entry
from annotation.ledger.labels import Rules
from annotation.ledger.replay import replay
from annotation.models import Cluster, ClusterMember, ClusterRun, EmbeddingSpace
from annotation.queries.decisions import ledger_entries
from annotation.queries.vectors import FaceVectors, load_vectors
from annotation.services.calibrations import calibrate_space
from annotation.services.current_run import make_current
from annotation.services.label_rows import copy_rows
from annotation.services.labels import refresh_labels
from annotation.services.ledger_locks import after_open_decisions, one_labelling_at_a_time
from foundation.progress import Progress, silent
from jobs.models import Job

KEPT_RUNS = 3  # earlier runs whose members are kept, to compare with
_ELSEWHERE = {"joins", "thresholds"}  # of a calibration's record, as the run has its own thresholds
LOADING, CLUSTERING = 100, 850  # of 1000 steps of progress


def run_clustering(
    *,
    space: EmbeddingSpace,
    job: Job | None = None,
    settings: Mapping[str, Any] | None = None,
    preview: bool = False,
    progress: Progress = silent,
    finish: Callable[[dict[str, Any]], None] = lambda metrics: None,
) -> ClusterRun:
    """Cluster every face of the pool, obeying every decision; the run becomes the current one, and labels follow.

    Args:
        settings: may hold `core_distance` and `merge_similarity` to overrule the calibration, `min_size` and
            `min_quality` for the labels; with `joins` false, single faces join nobody in the end.
        preview: keep the run beside the current one, for `apply_run` or `drop_run`, in place of an earlier preview.
        finish: called with the metrics in the transaction that stores the run.

    Faces that people set aside are left out. Called again for the same job, it starts over. Raises Conflict where the
    space does not fit its files.
    """
    run = _begin(space, job)
    try:
        _carry_out(run, dict(settings or {}), preview, progress, finish)
    except BaseException:
        ClusterRun.objects.filter(pk=run.pk).update(state=ClusterRun.State.FAILED, finished_at=timezone.now())
        raise
    return run


def _begin(space: EmbeddingSpace, job: Job | None) -> ClusterRun:
    if job is None:
        return ClusterRun.objects.create(space=space)
    run, made = ClusterRun.objects.get_or_create(job=job, defaults={"space": space})
    if not made:
        ClusterRun.objects.filter(pk=run.pk).update(state=ClusterRun.State.RUNNING, finished_at=None)
    return run


def _carry_out(
    run: ClusterRun,
    settings: dict[str, Any],
    preview: bool,
    progress: Progress,
    finish: Callable[[dict[str, Any]], None],
) -> None:
    clock = _Clock()
    after_open_decisions()
    entries = ledger_entries()
    state = replay(entries)
    faces = load_vectors(run.space, leave_out=state.set_aside, progress=_part(progress, 0, LOADING))
    clock.lap("load")
    links = constraints(state, faces.face_ids, faces.photo_ids)
    calibration = calibrate_space(space=run.space, faces=faces, constraints=links, state=state)
    thresholds = _thresholds(calibration.thresholds, settings)
    clock.lap("calibrate")
    found = cluster(
        faces.vectors,
        constraints=links,
        thresholds=thresholds,
        quality=faces.quality,
        progress=_part(progress, LOADING, CLUSTERING),
    )
    thresholds = found.thresholds
    similarity = _to_medoid(faces, found)
    clock.lap("cluster")
    run.parameters = {
        **asdict(thresholds),
        "calibration": {name: value for name, value in calibration.record().items() if name not in _ELSEWHERE},
        "rules": asdict(_rules(thresholds, found, similarity, settings)),
    }
    run.input_digest = _digest(run, faces, entries)
    run.metrics = {
        "faces": len(faces.face_ids),
        "without_vectors": faces.without,
        "clusters": int((found.sizes > 1).sum()),
        "alone": int((found.sizes == 1).sum()),
        "largest": int(found.sizes.max(initial=0)),
        "edges": found.edges,
        "clashes": len(found.conflicts),
        "heights": histogram(found.linkage.heights, 0.0, thresholds.core_distance),
        "merges": _merge_similarities(found),
    }
    with transaction.atomic():
        _store(run, faces, found, similarity)
        clock.lap("store")
        progress(CLUSTERING + 50, 1000)
        if preview:
            run.state = ClusterRun.State.PREVIEW
            drop_previews(ClusterRun.objects.exclude(pk=run.pk))
        else:
            run.metrics["labels"] = refresh_labels(run=run).as_dict()
            clock.lap("label")
        run.metrics["seconds"] = clock.seconds
        run.finished_at = timezone.now()
        if preview:
            run.save()
        else:
            make_current(run)
        _forget_old_runs()
        finish(run.metrics)
    progress(1000, 1000)


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(now - self._last, 3)
        self._last = now


def _part(progress: Progress, begin: int, end: int) -> Progress:
    return lambda done, total: progress(begin + (end - begin) * done // max(total, 1), 1000)


def _thresholds(calibrated: Thresholds, settings: Mapping[str, Any]) -> Thresholds:
    merge = settings.get("merge_similarity", calibrated.merge_similarity)
    return replace(
        calibrated,
        core_distance=float(settings.get("core_distance", calibrated.core_distance)),
        merge_similarity=None if merge is None else float(merge),
        joins=calibrated.joins if settings.get("joins", True) else None,
    )


def _merge_similarities(found: Clustering) -> dict[str, Any] | None:
    """The histogram of the evidence merges of all rounds; None where none were asked for."""
    if found.thresholds.merge_similarity is None:
        return None
    similarities = np.concatenate([np.empty(0), *(evidence.similarities for evidence in found.evidence)])
    return histogram(similarities, found.thresholds.merge_similarity, 1.0)


def _to_medoid(faces: FaceVectors, found: Clustering) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(n,) cosine similarity of each face to the medoid of its cluster."""
    similarity = np.empty(len(faces.face_ids), np.float32)
    medoid = found.explanation.medoid
    for at in range(0, len(similarity), 1 << 16):
        rows = slice(at, at + (1 << 16))
        centres = faces.vectors[medoid[found.labels[rows]]]
        similarity[rows] = np.einsum("ij,ij->i", faces.vectors[rows], centres)
    return np.clip(similarity, -1, 1)


def _rules(
    thresholds: Thresholds,
    found: Clustering,
    similarity: np.ndarray[Any, np.dtype[np.float32]],
    settings: Mapping[str, Any],
) -> Rules:
    """A label is doubtful where no stage joins two faces, and sure where it is as like as half of all faces are."""
    stages = [1 - thresholds.core_distance]
    if thresholds.merge_similarity is not None:
        stages.append(thresholds.merge_similarity)
    if thresholds.joins is not None:
        stages.append(thresholds.joins.similarity(faces=1, clusters=1))
    doubtful = min(stages)
    settled = similarity[found.sizes[found.labels] >= 3]
    usual = float(np.median(settled)) if len(settled) else 1.0
    return Rules(
        min_size=int(settings.get("min_size", 2)),
        min_quality=float(settings.get("min_quality", 0.0)),
        doubtful_at=doubtful,
        confident_at=max(usual, doubtful + 0.05),
    )


def _digest(run: ClusterRun, faces: FaceVectors, entries: list[Entry]) -> str:
    """SHA-256 over everything that the result follows from."""
    digest = hashlib.sha256()
    digest.update(json.dumps([run.space.release.digest, run.parameters, len(entries)], sort_keys=True).encode())
    digest.update(str(entries[-1].id if entries else 0).encode())
    digest.update(faces.face_ids.tobytes())
    digest.update(faces.vectors.data)
    return digest.hexdigest()


def _store(
    run: ClusterRun, faces: FaceVectors, found: Clustering, similarity: np.ndarray[Any, np.dtype[np.float32]]
) -> None:
    """Clusters of two or more faces by falling size, and where each face is, by COPY."""
    ClusterMember.objects.filter(run=run).delete()
    Cluster.objects.filter(run=run).delete()
    sizes, explained = found.sizes, found.explanation
    kept = np.argsort(-sizes, kind="stable")[: int((sizes > 1).sum())]  # labels rise with the smallest face
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('annotation_cluster', 'id')) FROM generate_series(1, %s)",
            [len(kept)],
        )
        ids = [row[0] for row in cursor.fetchall()]
        widest, medoid = faces.face_ids[explained.widest], faces.face_ids[explained.medoid]
        diameter = 1 - explained.widest_similarity
        copy_rows(
            cursor,
            "COPY annotation_cluster (id, run_id, ordinal, size, diameter, widest_a_id, widest_b_id, medoid_id) "
            "FROM STDIN",
            (
                (ids[k], run.pk, k, int(sizes[c]), float(diameter[c]), *widest[c].tolist(), int(medoid[c]))
                for k, c in enumerate(kept.tolist())
            ),
        )
        number = np.zeros(len(sizes), np.int64)
        number[kept] = ids
        copy_rows(
            cursor,
            "COPY annotation_clustermember (run_id, cluster_id, face_id, similarity) FROM STDIN",
            _members(run.pk, faces, number[found.labels], similarity),
        )
        cursor.execute("ANALYZE annotation_clustermember")


def _members(
    run_id: int,
    faces: FaceVectors,
    clusters: np.ndarray[Any, np.dtype[np.int64]],
    similarity: np.ndarray[Any, np.dtype[np.float32]],
) -> Iterator[tuple[int, int | None, int, float | None]]:
    for face, number, like in zip(faces.face_ids.tolist(), clusters.tolist(), similarity.tolist(), strict=True):
        yield run_id, number or None, face, like if number else None


def _forget_old_runs() -> None:
    """Earlier runs keep their parameters and metrics; clusters and members of all but the last few go."""
    old = ClusterRun.objects.filter(current=False, state=ClusterRun.State.DONE).order_by("-id")
    _forget_members(list(old.values_list("pk", flat=True)[KEPT_RUNS:]))


def drop_previews(runs: QuerySet[ClusterRun]) -> None:
    """Give up those of the runs that are previews; inside a transaction."""
    one_labelling_at_a_time()  # nobody applies them meanwhile
    previews = list(runs.filter(state=ClusterRun.State.PREVIEW).values_list("pk", flat=True))
    _forget_members(previews)
    ClusterRun.objects.filter(pk__in=previews).update(state=ClusterRun.State.DROPPED)


def _forget_members(runs: list[int]) -> None:
    ClusterMember.objects.filter(run__in=runs)._raw_delete(using="default")
    Cluster.objects.filter(run__in=runs)._raw_delete(using="default")
