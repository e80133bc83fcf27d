"""Reading clusters for services and REST; what the pages show is in `cluster_pages`."""

from __future__ import annotations

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, Value

from annotation.models import Cluster, ClusterMember, ClusterRun, Label
from annotation.queries.cluster_pages import current_run
from foundation.errors import Conflict, NotFound

__all__ = ["cluster_by_id", "current_run", "faces_in_cluster", "require_current_run"]


def require_current_run() -> ClusterRun:
    """The run that labels follow from. Raises Conflict before the first."""
    run = current_run()
    if run is None:
        raise Conflict("Nothing was clustered yet.", code="nothing_clustered")
    return run


def cluster_by_id(cluster_id: int) -> Cluster:
    """A cluster of the current run. Raises NotFound, or Conflict if a newer run has replaced it."""
    found = Cluster.objects.select_related("run", "identity").filter(pk=cluster_id).first()
    if found is None:
        raise NotFound(f"There is no cluster {cluster_id}.", code="no_cluster")
    if not found.run.current:
        raise Conflict("The faces were clustered anew since; look at the new clusters.", code="cluster_outdated")
    return found


def faces_in_cluster(cluster: Cluster) -> list[int]:
    """The faces that a confirmation speaks of: not those set aside, rejected, or put on somebody else by people."""
    human = Q(face__label__source=Label.Source.HUMAN)
    elsewhere = human & (Q(face__label__identity=None) | ~Q(face__label__identity=cluster.identity_id))
    rows = ClusterMember.objects.filter(cluster=cluster).exclude(elsewhere)
    # One array instead of many rows: a cluster may hold tens of thousands of faces, and a person is waiting.
    found = rows.order_by().aggregate(faces=ArrayAgg("face_id", default=Value([])))["faces"]
    return sorted(found)
