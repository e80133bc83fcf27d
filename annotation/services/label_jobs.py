"""Asking for labels to be made anew: never twice for the same news, and never too few times."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from annotation.queries.clusters import current_run
from annotation.services.ledger_locks import alone_in_asking
from jobs.models import Job, JobState
from jobs.services import enqueue

KIND = "labels"
# Between one recomputation and the next, so that people who keep deciding do not keep it running.
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=20)


def request_labels(*, user: User | None = None, patient: bool = False) -> Job | None:
    """A job that has not begun yet and will see everything that this transaction writes.

    Decisions that come while one waits share it; where none does, its key names the last one, so that two who ask at
    once get the same. A job that begins just now waits for this transaction, which holds `while_deciding`, before it
    reads the ledger.

    Unless `patient`, None while another transaction is just making that job: instead of waiting for its end, this one
    makes sure after its own that there is one.
    """
    last = Job.objects.filter(kind=KIND).order_by("-id").first()
    if last is not None and last.unfinished and last.started_at is None and last.cancel_requested_at is None:
        return last
    if not (patient or alone_in_asking()):
        transaction.on_commit(partial(request_labels, user=user, patient=True))
        return None
    return enqueue(kind=KIND, params={}, user=user, key=f"{KIND}:{last.pk if last else 0}", wait=_pause(last))


def _pause(last: Job | None) -> timedelta:
    """Twice as long as the last one took."""
    if last is None or last.started_at is None:
        return SHORTEST_PAUSE
    took = (last.finished_at or timezone.now()) - last.started_at
    return min(max(2 * took, SHORTEST_PAUSE), LONGEST_PAUSE)


def settled_upto() -> int | None:
    """The entry of the ledger up to which labels follow from it for certain: as the last job told, or the clustering
    that labels follow from, which made all of them. None where neither has told."""
    run = current_run()
    told = [
        _last_result().get("settled"),
        run.metrics.get("labels", {}).get("settled") if run else None,
    ]
    return max((upto for upto in told if upto is not None), default=None)


def told_upto() -> int:
    """The entry up to which the last job told again what was taken back, see `tell_again`; 0 where none did."""
    return int(_last_result().get("told", 0))


def _last_result() -> dict[str, Any]:
    last = Job.objects.filter(kind=KIND, state=JobState.FINISHED).order_by("-id").first()
    return (last.result or {}) if last else {}
