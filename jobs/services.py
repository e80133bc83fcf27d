"""The verbs of background work: enqueue, cancel, retry, run to the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from foundation.errors import Conflict, NotFound
from jobs import execution, kinds, messages, reports
from jobs.models import UNFINISHED, WITH_ERRORS, Job, JobState, Unit, UnitState

POLL_SECONDS = 0.1


def enqueue(
    *,
    kind: str,
    params: dict[str, Any],
    user: User | None = None,
    key: str | None = None,
    parent: Job | None = None,
    wait: timedelta | None = None,
) -> Job:
    """Start a job when the surrounding transaction has committed, or so much later.

    With `key` (at most 200 characters), an unfinished job of the same key is returned instead of a second one.
    Raises InvalidInput for an unknown kind.
    """
    found = kinds.find_kind(kind)
    job = Job(
        kind=kind,
        title=found.title,
        queue=found.queue,
        sequential=found.sequential,
        unit_noun=found.unit_noun,
        params=params,
        key=key or "",
        created_by=user,
        parent=parent,
        not_before=None if wait is None else timezone.now() + wait,
    )
    while True:
        try:
            with transaction.atomic():
                job.save(force_insert=True)
        except IntegrityError:
            existing = Job.objects.filter(key=key, state__in=UNFINISHED).first() if key else None
            if existing is not None:
                return existing
            if not key or Job.objects.filter(key=key, state__in=UNFINISHED).exists():
                raise
            continue  # it has just ended
        if wait is None:  # else the dispatcher sends it
            messages.send_soon(job.pk, job.queue)
        return job


def cancel(*, job_id: int) -> Job:
    """End a job and its child jobs: at once what has not begun, at its next check what runs. Twice is once."""
    with transaction.atomic():
        job = _locked(job_id)
        if job.unfinished and job.cancel_requested_at is None:
            job.cancel_requested_at = timezone.now()
            job.save(update_fields=["cancel_requested_at"])
    for child in Job.objects.filter(parent=job_id, state__in=UNFINISHED).values_list("pk", flat=True):
        cancel(job_id=child)
    reports.conclude_cancel(job_id)
    job.refresh_from_db()
    return job


def retry_failed(*, job_id: int) -> Job:
    """Run again what failed or was cancelled, in whole or in part. Units that are done without an error stay done.

    Raises Conflict if nothing failed, or another job with the same key is under way.
    """
    with transaction.atomic():
        job = _locked(job_id)
        again = job.units.filter(WITH_ERRORS | Q(state=UnitState.CANCELLED))
        ended_badly = job.state in (JobState.FAILED, JobState.FINISHED_WITH_ERRORS, JobState.CANCELLED)
        if job.cancelling or not (ended_badly or (job.unfinished and again.exists())):
            raise Conflict("This job has nothing to retry.", code="nothing_to_retry")
        if ended_badly and job.key and Job.objects.filter(key=job.key, state__in=UNFINISHED).exists():
            raise Conflict("A newer job does the same work already.", code="already_running")
        again.update(
            state=UnitState.PENDING, attempts=0, lost=0, not_before=None, ended_at=None, waits_for=None, **reports.FREE
        )
        if ended_badly:
            job.state = JobState.RUNNING if job.planned_at else JobState.QUEUED
            job.finished_at = job.cancel_requested_at = job.claim = job.lease_expires_at = job.not_before = None
            job.attempts, job.error_code, job.error, job.result, job.message = 0, "", "", None, ""
        reports.recount(job)
        job.save()
        messages.send_soon(job.pk, job.queue)
    return job


def run_to_end(*, job_id: int, watch: Callable[[Job], None] = lambda job: None) -> Job:
    """Run a job and the jobs it waits for in this process, without broker or workers; `watch` sees it after each step.

    If workers work on it too, this shares the work. Pauses after errors are skipped.
    """
    while True:
        worked = execution.step(job_id, patient=False)
        job = Job.objects.get(pk=job_id)
        watch(job)
        if not job.unfinished:
            return job
        if not worked and not _run_children(job_id):
            time.sleep(POLL_SECONDS)


def _run_children(job_id: int) -> bool:
    waiting = Unit.objects.filter(job=job_id, state=UnitState.WAITING).exclude(waits_for=None)
    children = list(waiting.values_list("waits_for", flat=True).distinct())
    for child in children:
        if child is not None:
            run_to_end(job_id=child)
            reports.wake_waiting(child)
    return bool(children)


def _locked(job_id: int) -> Job:
    job = Job.objects.select_for_update(no_key=True).filter(pk=job_id).first()
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return job
