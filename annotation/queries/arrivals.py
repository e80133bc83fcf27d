"""Faces that a cluster run does not know yet, and those that it does."""

from __future__ import annotations

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet
from numpy.typing import NDArray

from annotation.models import ClusterMember, ClusterRun, Face, Label, PackVectors
from annotation.queries.picture_access import showable_faces

CHUNK = 20_000
_ASIDE = (Label.Reason.IGNORED, Label.Reason.NOT_A_FACE)


def unjoined_faces(run: ClusterRun) -> QuerySet[Face]:
    """Faces of the pool with a vector in the run's space that are in none of its clusters, nor alone in it, nor set
    aside by people."""
    embedded = PackVectors.objects.filter(space=run.space_id, pack=OuterRef("pack"))
    known = ClusterMember.objects.filter(run=run, face=OuterRef("pk"))
    aside = Label.objects.filter(face=OuterRef("pk"), reason__in=_ASIDE)
    return showable_faces().filter(Exists(embedded), ~Exists(known), ~Exists(aside))


def members_of(run: ClusterRun) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The faces of a run by rising id, and the id of the cluster of each, 0 for one that is alone; both int64 (n,)."""
    rows = ClusterMember.objects.filter(run=run).order_by("face_id").values_list("face_id", "cluster_id")
    table = np.array([(face, cluster or 0) for face, cluster in rows.iterator(chunk_size=CHUNK)], np.int64)
    table = table.reshape(-1, 2)
    return table[:, 0], table[:, 1]
