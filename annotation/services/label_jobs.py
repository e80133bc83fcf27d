"""Asking for labels to be made anew: never twice for the same news, and never too few times."""

from __future__ import annotations

from accounts.models import User
from jobs.models import Job
from jobs.services import enqueue

KIND = "labels"


def request_labels(*, user: User | None = None) -> Job:
    """A job that has not begun yet and will see everything that this transaction writes.

    Decisions that come while one waits share it: its key names the last one that began. A job that begins just now
    waits for this transaction, which holds `while_deciding`, before it reads the ledger.
    """
    begun = Job.objects.filter(kind=KIND, started_at__isnull=False).order_by("-id").values_list("pk", flat=True).first()
    return enqueue(kind=KIND, params={}, user=user, key=f"{KIND}:{begun or 0}")
