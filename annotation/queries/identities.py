"""Which faces stand for a person."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from annotation.models import Cluster, ClusterMember, Identity, Label
from foundation.errors import NotFound

REPRESENTATIVES = 8
_MEDOIDS = """
    SELECT cluster.medoid_id FROM annotation_cluster cluster
    JOIN annotation_clusterrun run ON run.id = cluster.run_id AND run.current
    JOIN annotation_label label ON label.face_id = cluster.medoid_id AND label.identity_id = cluster.identity_id
    WHERE cluster.identity_id = %s ORDER BY cluster.ordinal
"""


def identity_by_id(identity_id: int) -> Identity:
    """One person, merged ones included. Raises NotFound."""
    found = Identity.objects.filter(pk=identity_id).first()
    if found is None:
        raise NotFound(f"There is no person {identity_id}.", code="no_identity")
    return found


def has_human_faces(identity_id: int) -> bool:
    """Whether people put any face on this person."""
    return Label.objects.filter(identity=identity_id, source=Label.Source.HUMAN).exists()


def cluster_medoids(identity_id: int) -> list[int]:
    """The medoids of the person's clusters in the current run that still bear the person's label, largest first."""
    with connection.cursor() as cursor:
        cursor.execute(_MEDOIDS, [identity_id])
        return [row[0] for row in cursor.fetchall()]


def representatives(identity_id: int, *, without: Collection[int] = (), limit: int = REPRESENTATIVES) -> list[int]:
    """Up to `limit` faces that stand for the person: those that people put there first, then the most central."""
    human = Label.objects.filter(identity=identity_id, source=Label.Source.HUMAN).exclude(face__in=without)
    chosen = list(human.order_by("face_id").values_list("face_id", flat=True)[:limit])
    if len(chosen) < limit:
        clusters = Cluster.objects.filter(run__current=True, identity=identity_id).values_list("pk", flat=True)[:limit]
        central = ClusterMember.objects.filter(cluster__in=list(clusters), face__label__identity=identity_id)
        rest = central.exclude(face__in=[*without, *chosen]).order_by("-similarity", "-pk")
        chosen += rest.values_list("face_id", flat=True)[: limit - len(chosen)]
    return chosen
