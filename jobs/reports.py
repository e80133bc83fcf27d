"""What happened to claimed units, written together with the job's counters. Every write names the claim's token."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Now

from foundation.errors import LoupeError
from jobs import messages
from jobs.leases import LeaseLost
from jobs.models import Job, JobState, Unit, UnitState

FREE: dict[str, Any] = {"claim": None, "lease_expires_at": None}


def lock(job_id: int) -> Job:
    """Take the job's row before any of its units' rows: always in this order, so that nobody deadlocks."""
    return Job.objects.select_for_update(no_key=True).get(pk=job_id)


def pause_after(attempts: int) -> timedelta:
    """2 s, 8 s, 32 s ... at most five minutes."""
    return timedelta(seconds=min(300, 2 * 4 ** (attempts - 1)))


def _held(units: Sequence[Unit], claim: uuid.UUID) -> QuerySet[Unit]:
    return Unit.objects.filter(pk__in=[unit.pk for unit in units], claim=claim, state=UnitState.RUNNING)


def done(
    job_id: int,
    units: Sequence[Unit],
    claim: uuid.UUID,
    *,
    results: Mapping[int, Any],
    seconds: float,
    strict: bool,
    flaw: LoupeError | None = None,
) -> None:
    """Mark those of `units` done that the claim still holds; `strict`: raise LeaseLost unless it holds all of them.

    `results` maps unit ids to JSON values. `seconds` is the time each took. `flaw` is what failed in them all the same.
    """
    with transaction.atomic():
        lock(job_id)
        held = list(_held(units, claim))
        if strict and len(held) < len(units):
            raise LeaseLost("Another worker has taken this work over.")
        ended = {
            "state": UnitState.DONE,
            "ended_at": Now(),
            "seconds": F("seconds") + seconds,
            "error_code": flaw.code[:64] if flaw else "",
            "error": flaw.message[:4000] if flaw else "",
        }
        plain = [unit.pk for unit in held if unit.pk not in results]
        Unit.objects.filter(pk__in=plain).update(**ended, **FREE)
        for unit in held:
            if unit.pk in results:
                Unit.objects.filter(pk=unit.pk).update(result=results[unit.pk], **ended, **FREE)
        Job.objects.filter(pk=job_id).update(
            units_done=F("units_done") + len(held), weight_done=F("weight_done") + sum(unit.weight for unit in held)
        )


def failed(job_id: int, unit: Unit, claim: uuid.UUID, error: LoupeError, *, max_attempts: int, seconds: float) -> None:
    """One run of one unit ended in an error: retry after a pause, or fail for good. Raises LeaseLost."""
    with transaction.atomic():
        lock(job_id)
        held = _held([unit], claim).first()
        if held is None:
            raise LeaseLost("Another worker has taken this work over.")
        attempts = held.attempts + 1
        facts: dict[str, Any] = {
            "attempts": attempts,
            "error_code": error.code[:64],
            "error": error.message[:4000],
            "seconds": F("seconds") + seconds,
        }
        if not error.permanent and attempts < max_attempts:
            facts |= {"state": UnitState.PENDING, "not_before": Now() + pause_after(attempts)}
        else:
            facts |= {"state": UnitState.FAILED, "ended_at": Now()}
            _count_failed(job_id, [held])
        Unit.objects.filter(pk=unit.pk).update(**facts, **FREE)


def given_back(units: Sequence[Unit], claim: uuid.UUID, **facts: Any) -> int:
    """Return what the claim still holds, as pending unless `facts` say otherwise; no attempt is counted."""
    return _held(units, claim).update(**{"state": UnitState.PENDING, "not_before": None, **FREE, **facts})


def take_back_expired(job_id: int, *, max_lost: int) -> int:
    """Return units whose worker vanished to the pending ones; how many.

    They run alone from now on if they were in a batch, and fail for good after `max_lost` vanished workers.
    """
    expired = Unit.objects.filter(job=job_id, state=UnitState.RUNNING, lease_expires_at__lt=Now())
    if not expired.exists():
        return 0
    with transaction.atomic():
        lock(job_id)
        units = list(expired.select_for_update(skip_locked=True, no_key=True))
        sizes = dict(
            Unit.objects.filter(claim__in={unit.claim for unit in units}).values_list("claim").annotate(Count("pk"))
        )
        for unit in units:
            lost = unit.lost + 1
            facts: dict[str, Any] = {"lost": lost, "alone": unit.alone or sizes.get(unit.claim, 1) > 1, **FREE}
            if lost > max_lost:
                facts |= {"state": UnitState.FAILED, "ended_at": Now(), "error_code": "worker_lost"}
                facts["error"] = f"Its worker vanished {lost} times; the work may need more memory than there is."
                _count_failed(job_id, [unit])
            else:
                # The first few come back at once: the worker was probably not killed by this unit.
                facts |= {"state": UnitState.PENDING, "not_before": Now() + pause_after(lost - 2) if lost > 2 else None}
            Unit.objects.filter(pk=unit.pk).update(**facts)
    return len(units)


def _count_failed(job_id: int, units: Sequence[Unit]) -> None:
    Job.objects.filter(pk=job_id).update(
        units_failed=F("units_failed") + len(units), weight_done=F("weight_done") + sum(unit.weight for unit in units)
    )


def recount(job: Job) -> None:
    """Set the job's counters from its units. The caller holds the job's lock and saves."""
    ended = Q(state__in=[UnitState.DONE, UnitState.FAILED])
    totals = Unit.objects.filter(job=job).aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(state=UnitState.DONE)),
        failed=Count("pk", filter=Q(state=UnitState.FAILED)),
        all_weight=Sum("weight"),
        ended_weight=Sum("weight", filter=ended),
    )
    job.units_total, job.units_done, job.units_failed = totals["total"], totals["done"], totals["failed"]
    job.weight_total, job.weight_done = totals["all_weight"] or 0, totals["ended_weight"] or 0


def conclude_cancel(job_id: int) -> bool:
    """Cancel what has not begun; if nothing runs any more the job is cancelled, and True is returned."""
    with transaction.atomic():
        job = lock(job_id)
        if not job.cancelling:
            return False
        idle = Q(state__in=[UnitState.PENDING, UnitState.WAITING])
        idle |= Q(state=UnitState.RUNNING, lease_expires_at__lt=Now())
        job.units.filter(idle).update(state=UnitState.CANCELLED, ended_at=Now(), waits_for=None, **FREE)
        if job.units.filter(state=UnitState.RUNNING).exists():
            return False
        if Job.objects.filter(pk=job_id, lease_expires_at__gte=Now()).exclude(claim=None).exists():
            return False
        end(job, JobState.CANCELLED)
    return True


def end(job: Job, state: JobState, **facts: Any) -> None:
    """End a job whose lock the caller holds, and wake the units that wait for it."""
    recount(job)
    Job.objects.filter(pk=job.pk).update(
        state=state,
        finished_at=Now(),
        units_total=job.units_total,
        units_done=job.units_done,
        units_failed=job.units_failed,
        weight_total=job.weight_total,
        weight_done=job.weight_done,
        **FREE,
        **facts,
    )
    wake_waiting(job.pk)


def wake_waiting(job_id: int) -> None:
    """Let units go on that wait for this job, which has ended."""
    units = Unit.objects.filter(waits_for=job_id, state=UnitState.WAITING)
    waiting = list(units.values_list("job_id", "job__queue").distinct())
    units.update(state=UnitState.PENDING, waits_for=None, not_before=None)
    for waiting_id, queue in waiting:
        messages.send_soon(waiting_id, queue)
