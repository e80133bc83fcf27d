"""New faces join the clusters of the current run, and labels follow; no other face changes its cluster."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from annotation.clustering.arrivals import Arrivals, join_arrivals
from annotation.clustering.constraints import Constraints
from annotation.clustering.explanation import explain
from annotation.clustering.thresholds import Thresholds
from annotation.clustering.vectors import number_clusters
from annotation.ledger.constraints import constraints
from annotation.ledger.replay import replay
from annotation.models import ClusterMember, ClusterRun, EmbeddingSpace
from annotation.queries.arrivals import members_of
from annotation.queries.cluster_pages import current_run
from annotation.queries.decisions import ledger_entries
from annotation.queries.vectors import FaceVectors, load_vectors
from annotation.services.arrival_rows import Grown, count_clusters, write_arrivals
from annotation.services.labels import refresh_labels
from annotation.services.ledger_locks import after_open_decisions, one_labelling_at_a_time
from foundation.errors import Conflict, InvalidInput
from foundation.progress import Progress, silent

Int = NDArray[np.int64]

ATTEMPTS = 3  # of joining where another run becomes the current one meanwhile
LOADING, JOINING = 150, 800  # of 1000 steps of progress
NOTHING = {"faces": 0, "joined": 0, "new_clusters": 0, "alone": 0, "bridges": 0, "labels_changed": 0}


class RunMovedOn(Conflict):
    """The current clustering changed again and again while new faces were to join it; trying later helps."""

    code = "run_moved_on"
    permanent = False


@dataclass(frozen=True)
class _Pool:
    """A run and all faces: `clusters` int64 (n,) holds the id of each one's cluster, 0 where it is alone, -1 where it
    is new."""

    run: ClusterRun
    known: int  # rows of the run, those of faces without a vector too
    faces: FaceVectors
    clusters: Int
    links: Constraints
    entries: int


def join_new_faces(
    *, progress: Progress = silent, finish: Callable[[dict[str, Any]], None] = lambda report: None
) -> dict[str, Any]:
    """Let all faces of the pool that the current run does not know join its clusters, as `join_arrivals` does, with
    the run's own thresholds; labels are made anew in the same transaction.

    Faces that are in the run stay in their clusters, whose persons keep ids and names; how sure their labels are
    follows the cluster's medoid, which may be a new face. Where everybody has joined, or there are no clusters of the
    live space, nothing happens: again changes nothing.

    Args:
        finish: called with the report in the transaction that stores the result.

    Returns:
        `faces` that came, `joined` to a cluster or face that was there, `new_clusters`, `alone`, `bridges` (pairs of
        clusters that one new group could have joined either of), `labels_changed`, `seconds`; and `run`, where there
        is one.

    Raises:
        RunMovedOn: another run became current each time.
        Conflict: `run_without_thresholds`, `too_many_to_join` where the new faces are so many and so alike that only
            a full run, which goes in stages, can cluster them, or the space does not fit its files.
    """
    for _ in range(ATTEMPTS):
        began = time.perf_counter()
        pool = _load(progress)
        if pool is None:
            finish(NOTHING)
            return dict(NOTHING)
        found = _join(pool, lambda done, total: progress(LOADING + (JOINING - LOADING) * done // max(1, total), 1000))
        with transaction.atomic():
            one_labelling_at_a_time()
            if _still_current(pool):
                report = _store(pool, found, began)
                finish(report)
                return report
    raise RunMovedOn("The current clustering kept changing while new faces were to join it.")


def _load(progress: Progress) -> _Pool | None:
    run = current_run()
    if run is None or run.space.state != EmbeddingSpace.State.LIVE:
        return None
    after_open_decisions()
    entries = ledger_entries()
    state = replay(entries)
    faces = load_vectors(
        run.space,
        leave_out=state.set_aside,
        progress=lambda done, total: progress(LOADING * done // max(1, total), 1000),
    )
    known, clusters = members_of(run)
    here = np.isin(faces.face_ids, known)
    if here.all():
        return None
    of = np.full(len(faces.face_ids), -1, np.int64)
    of[here] = clusters[np.searchsorted(known, faces.face_ids[here])]
    links = constraints(state, faces.face_ids, faces.photo_ids)
    return _Pool(run, len(known), faces, of, links, len(entries))


def _join(pool: _Pool, progress: Progress) -> Arrivals:
    if "core_distance" not in pool.run.parameters:
        raise Conflict(f"Run {pool.run.pk} does not say its thresholds.", code="run_without_thresholds")
    try:
        return join_arrivals(
            pool.faces.vectors,
            _settled(pool.clusters),
            constraints=pool.links,
            thresholds=Thresholds.from_record(pool.run.parameters),
            quality=pool.faces.quality,
            progress=progress,
        )
    except InvalidInput as error:
        if error.code != "graph_too_dense":
            raise
        raise Conflict(
            "So many new faces are so alike that they cannot join all at once; cluster anew instead.",
            code="too_many_to_join",
        ) from error


def _settled(clusters: Int) -> Int:
    """Clusters numbered from 0 by smallest face, one for each face that is alone; -1 for new faces."""
    own = np.where(clusters == 0, clusters.max(initial=0) + 1 + np.arange(len(clusters)), clusters)
    settled = np.full(len(clusters), -1, np.int64)
    settled[clusters >= 0] = number_clusters(own[clusters >= 0])
    return settled


def _still_current(pool: _Pool) -> bool:
    """Nobody applied another run, and no other job joined faces to this one."""
    run = ClusterRun.objects.filter(pk=pool.run.pk, current=True)
    return run.exists() and ClusterMember.objects.filter(run=pool.run).count() == pool.known


def _store(pool: _Pool, found: Arrivals, began: float) -> dict[str, Any]:
    run, new = pool.run, pool.clusters == -1
    settled = _settled(pool.clusters)
    grown, largest_old = _grown(pool, found.labels), int(settled.max(initial=-1))
    sizes = np.bincount(found.labels)
    write_arrivals(run, grown, alone=pool.faces.face_ids[new & (sizes[found.labels] == 1)])
    changed = refresh_labels().changed
    fresh = found.labels > largest_old
    report = {
        "faces": int(new.sum()),
        "joined": int((new & ~fresh).sum()),
        "new_clusters": int((sizes[largest_old + 1 :] > 1).sum()),
        "alone": int((new & (sizes[found.labels] == 1)).sum()),
        "bridges": len(found.bridges),
        "labels_changed": changed,
        "seconds": round(time.perf_counter() - began, 3),
    }
    run.refresh_from_db(fields=["metrics", "input_digest"])
    run.metrics = {**run.metrics, **count_clusters(run), "arrivals": _totals(run, report)}
    run.input_digest = _digest(pool)
    run.save(update_fields=["metrics", "input_digest"])
    return {**report, "run": run.pk}


def _grown(pool: _Pool, labels: Int) -> Grown:
    """Every cluster of two or more faces that new ones are in, with what must be known of it."""
    sizes = np.bincount(labels)
    touched = np.zeros(len(sizes), np.bool_)
    touched[labels[pool.clusters == -1]] = True
    rows = np.flatnonzero((touched & (sizes > 1))[labels])
    number = number_clusters(labels[rows])
    vectors = pool.faces.vectors[rows]
    explained = explain(vectors, number)
    ids = np.zeros(len(explained.sizes), np.int64)
    np.maximum.at(ids, number, pool.clusters[rows])
    similarity = np.einsum("ij,ij->i", vectors, vectors[explained.medoid[number]])
    face_ids = pool.faces.face_ids[rows]
    return Grown(
        ids=ids,
        diameter=1 - explained.widest_similarity,
        widest=face_ids[explained.widest],
        medoid=face_ids[explained.medoid],
        faces=face_ids,
        number=number,
        similarity=np.clip(similarity, -1, 1),
    )


def _totals(run: ClusterRun, report: dict[str, Any]) -> dict[str, Any]:
    """What all arrivals so far amount to."""
    before = run.metrics.get("arrivals", {})
    totals = {name: before.get(name, 0) + value for name, value in report.items()}
    totals["seconds"] = round(totals["seconds"], 3)
    return {"times": before.get("times", 0) + 1, **totals, "last_at": timezone.now().isoformat()}


def _digest(pool: _Pool) -> str:
    """SHA-256 over what the run followed from before, and what has come since."""
    new = pool.clusters == -1
    digest = hashlib.sha256(f"{pool.run.input_digest} {pool.entries}".encode())
    digest.update(pool.faces.face_ids[new].tobytes())
    digest.update(np.ascontiguousarray(pool.faces.vectors[new]).data)
    return digest.hexdigest()
