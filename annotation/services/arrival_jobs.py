"""Asking for new faces to join the current clusters."""

from __future__ import annotations

from accounts.models import User
from annotation.models import EmbeddingSpace
from annotation.queries.arrivals import unjoined_faces
from annotation.queries.cluster_pages import current_run
from jobs.models import Job
from jobs.services import enqueue

KIND = "join_new"


def request_joining(*, user: User | None = None, parent: Job | None = None) -> Job | None:
    """A job that has not begun yet and joins all faces that have vectors by now; None where there are none, or no
    clusters of the live space to join.

    Asked again while one waits, it is the same job: its key names the last one that began.
    """
    run = current_run()
    if run is None or run.space.state != EmbeddingSpace.State.LIVE or not unjoined_faces(run).exists():
        return None
    begun = Job.objects.filter(kind=KIND, started_at__isnull=False).order_by("-id").values_list("pk", flat=True).first()
    return enqueue(kind=KIND, params={}, user=user, key=f"{KIND}:{begun or 0}", parent=parent)
