"""What the pages about cluster runs show. The number of queries never depends on how many faces there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from annotation.models import Cluster, ClusterMember, ClusterRun
from foundation.errors import NotFound

BINS = 48
LOWEST = -0.2  # cosine similarity at which the distributions begin; what is less counts as this
SHOWN = 100


@dataclass(frozen=True)
class Distributions:
    """Counts of one run.

    Attributes:
        sizes: (smallest, largest, clusters) by doubling size from 1, without gaps; faces that stand alone are clusters
            of 1.
        widest: clusters by the cosine similarity of their widest pair, in `BINS` equal bins over [LOWEST, 1].
        to_medoid: faces in clusters, the medoids left out, by cosine similarity to the medoid, in the same bins.
    """

    sizes: list[tuple[int, int, int]]
    widest: list[int]
    to_medoid: list[int]


def cluster_runs() -> QuerySet[ClusterRun]:
    """All runs, newest first; `kept` where their clusters are."""
    return ClusterRun.objects.select_related("space__release").annotate(kept=_has_members()).order_by("-id")


def require_run(run_id: int) -> ClusterRun:
    """One run with its space. Raises NotFound."""
    found = cluster_runs().filter(pk=run_id).first()
    if found is None:
        raise NotFound(f"There is no clustering {run_id}.", code="no_run")
    return found


def open_preview() -> ClusterRun | None:
    """The preview that waits to be applied or dropped."""
    return cluster_runs().filter(state=ClusterRun.State.PREVIEW).first()


def comparable_runs(run: ClusterRun) -> list[ClusterRun]:
    """Other runs whose clusters are kept, newest first."""
    return list(cluster_runs().filter(_has_members()).exclude(pk=run.pk)[:SHOWN])


def usual_comparison(run: ClusterRun, others: Sequence[ClusterRun]) -> ClusterRun | None:
    """What a run is compared with: the current one, as applying the run would change that; the current one itself with
    the one before it."""
    if not run.current:
        return next((other for other in others if other.current), None)
    return next((other for other in others if other.pk < run.pk and other.state == ClusterRun.State.DONE), None)


def distributions(run: ClusterRun) -> Distributions:
    """Counted in the database, as there may be a million faces."""
    width = (1 - LOWEST) / BINS
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT floor(log(2, size))::int, count(*) FROM annotation_cluster WHERE run_id = %s GROUP BY 1", [run.pk]
        )
        doublings = dict(cursor.fetchall())
        cursor.execute(
            "SELECT greatest(0, least(%s, floor((1 - diameter - %s) / %s)))::int, count(*) "
            "FROM annotation_cluster WHERE run_id = %s GROUP BY 1",
            [BINS - 1, LOWEST, width, run.pk],
        )
        widest = dict(cursor.fetchall())
        cursor.execute(
            "SELECT CASE WHEN m.cluster_id IS NULL THEN -1 "
            "ELSE greatest(0, least(%s, floor((m.similarity - %s) / %s)))::int END, count(*) "
            "FROM annotation_clustermember m LEFT JOIN annotation_cluster c ON c.id = m.cluster_id "
            "WHERE m.run_id = %s AND (c.id IS NULL OR c.medoid_id <> m.face_id) GROUP BY 1",
            [BINS - 1, LOWEST, width, run.pk],
        )
        members = dict(cursor.fetchall())
    alone = members.pop(-1, 0)
    doublings[0] = doublings.get(0, 0) + alone
    return Distributions(
        sizes=[(2**k, 2 ** (k + 1) - 1, doublings.get(k, 0)) for k in range(max(doublings) + 1)],
        widest=[widest.get(k, 0) for k in range(BINS)],
        to_medoid=[members.get(k, 0) for k in range(BINS)],
    )


def _has_members() -> Exists:
    return Exists(ClusterMember.objects.filter(run=OuterRef("pk")))


def clusters_by_id(cluster_ids: Sequence[int]) -> dict[int, Cluster]:
    """These clusters with their persons."""
    return Cluster.objects.select_related("identity").in_bulk(cluster_ids)
