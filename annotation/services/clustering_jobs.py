"""Asking for a new clustering."""

from __future__ import annotations

from accounts.models import User
from annotation.models import EmbeddingSpace
from foundation.errors import Conflict
from jobs.models import Job
from jobs.services import enqueue

KIND = "cluster"


def start_clustering(*, user: User | None = None) -> Job:
    """Cluster the live space anew; asked twice while one waits or runs, it is the same job.

    Raises Conflict before the first photo was ingested.
    """
    live = EmbeddingSpace.objects.filter(state=EmbeddingSpace.State.LIVE).first()
    if live is None:
        raise Conflict("There are no faces yet: import photos first.", code="nothing_ingested")
    return enqueue(kind=KIND, params={"space": live.pk}, user=user, key=f"{KIND}:{live.pk}")
