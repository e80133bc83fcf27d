"""One step of one job: plan it, run a batch of its units, or end it. Whoever calls `step` is a worker."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now

from foundation.errors import Cancelled, LoupeError
from jobs import kinds, leases, messages, planning, reports
from jobs.failures import as_loupe_error
from jobs.heart import Grip, heart
from jobs.kinds import JobKind
from jobs.leases import LeaseLost
from jobs.models import WITH_ERRORS, Job, JobState, Unit, UnitState
from jobs.unit_run import Interrupted, UnitRun, WaitFor

log = logging.getLogger(__name__)


def step(job_id: int, *, patient: bool = True) -> bool:
    """Do the next thing that job `job_id` needs; False if there is nothing to do for us now.

    `patient=False` ignores the pauses after errors. Raises nothing that belongs to the job; database errors pass.
    """
    job = Job.objects.filter(pk=job_id).first()
    if job is None or not job.unfinished:
        return False
    if job.cancelling:
        reports.conclude_cancel(job_id)
        return False
    lease = leases.UNRENEWED_LEASE if connection.in_atomic_block else leases.LEASE
    try:
        kind = kinds.find_kind(job.kind)
    except Exception as error:
        _fail_job(job, as_loupe_error(error))
        return True
    if job.state in (JobState.QUEUED, JobState.PLANNING):
        return _plan(kind, job, lease=lease, patient=patient)
    return _run_units(kind, job, lease=lease, patient=patient) or _end(kind, job, lease=lease, patient=patient)


def _plan(kind: JobKind, job: Job, *, lease: timedelta, patient: bool) -> bool:
    token = leases.claim_planning(job.pk, lease=lease, patient=patient)
    if token is None:
        return False
    grip = Grip(job.pk, token)
    try:
        with heart.holding(grip):
            planning.plan(kind, job, grip)
    except LeaseLost:
        return True
    except Cancelled:
        _let_go(job, grip)
        reports.conclude_cancel(job.pk)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the planning goes on when our lease has run out
    except Exception as error:
        _retry_or_fail(kind, job, grip, as_loupe_error(error))
    else:
        Job.objects.filter(pk=job.pk).update(message="")
        for _ in range(min(8, max(1, job.units.count() // kind.batch_size)) - 1):
            messages.send_soon(job.pk, job.queue)
    return True


def _run_units(kind: JobKind, job: Job, *, lease: timedelta, patient: bool) -> bool:
    units = leases.claim_units(job, batch=kind.batch_size, lease=lease, patient=patient)
    if not units and reports.take_back_expired(job.pk, max_lost=kind.max_lost):
        units = leases.claim_units(job, batch=kind.batch_size, lease=lease, patient=patient)
    if not units:
        return False
    assert units[0].claim is not None  # noqa: S101 - just claimed
    grip = Grip(job.pk, units[0].claim)
    run = UnitRun(job, units, grip, max_attempts=kind.max_attempts)
    try:
        with heart.holding(grip):
            _run_batch(kind, job, units, run)
    except LeaseLost:
        log.warning("job %d: another worker took over %s", job.pk, units[0].key)
    if grip.peak_rss_mb > job.peak_rss_mb:
        Job.objects.filter(pk=job.pk).update(peak_rss_mb=Greatest(F("peak_rss_mb"), grip.peak_rss_mb))
    return True


def _run_batch(kind: JobKind, job: Job, units: list[Unit], run: UnitRun) -> None:
    try:
        kind.run(job, units, run)
        run.finish_rest()
    except WaitFor as child:
        _wait(run, child.job_id)
    except LeaseLost:
        raise
    except Interrupted:
        run.give_back_rest()
    except Cancelled:
        run.give_back_rest(state=UnitState.CANCELLED, ended_at=Now())
        reports.conclude_cancel(job.pk)
    except (OperationalError, InterfaceError) as error:
        if connection.in_atomic_block:
            raise
        log.warning("job %d lost the database: %s", job.pk, error)
        if any(unit.lost >= kind.max_lost for unit in units):
            run.fail_rest(as_loupe_error(error))  # a unit that always breaks the database must end, too
        else:
            run.give_back_rest(lost=F("lost") + 1, not_before=Now() + timedelta(seconds=2))
    except Exception as error:
        run.fail_rest(as_loupe_error(error))


def _wait(run: UnitRun, child_id: int) -> None:
    run.give_back_rest(state=UnitState.WAITING, waits_for=child_id)
    # The child may have ended while we went to sleep; a pause keeps a kind that always waits for it from spinning.
    if not Job.objects.filter(pk=child_id, state__in=[JobState.QUEUED, JobState.PLANNING, JobState.RUNNING]).exists():
        Unit.objects.filter(waits_for=child_id, state=UnitState.WAITING).update(
            state=UnitState.PENDING, waits_for=None, not_before=Now() + timedelta(seconds=1)
        )


def _end(kind: JobKind, job: Job, *, lease: timedelta, patient: bool) -> bool:
    token = leases.claim_ending(job.pk, lease=lease, patient=patient)
    if token is None:
        return False
    grip = Grip(job.pk, token)
    job.refresh_from_db()
    failed = job.units.filter(state=UnitState.FAILED)
    first = failed.order_by("ordinal", "pk").first()
    if first is not None and (job.sequential or not job.units.filter(state=UnitState.DONE).exists()):
        _close(job, grip, JobState.FAILED, error_code=first.error_code, error=first.error)
        return True
    try:
        with heart.holding(grip):
            result = kind.finish(job)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        _retry_or_fail(kind, job, grip, as_loupe_error(error))
    else:
        flawed = job.units.filter(WITH_ERRORS).exists()
        state = JobState.FINISHED_WITH_ERRORS if flawed else JobState.FINISHED
        _close(job, grip, state, result=result, error_code="", error="")
    return True


def _close(job: Job, grip: Grip, state: JobState, **facts: Any) -> None:
    with transaction.atomic():
        locked = reports.lock(job.pk)
        if locked.claim != grip.token:
            return  # somebody else ends it
        peak = max(locked.peak_rss_mb, grip.peak_rss_mb)
        reports.end(locked, state, peak_rss_mb=peak, message="", **facts)


def _retry_or_fail(kind: JobKind, job: Job, grip: Grip, error: LoupeError) -> None:
    attempts = job.attempts + 1
    if error.permanent or attempts >= kind.max_attempts:
        _close(job, grip, JobState.FAILED, error_code=error.code[:64], error=error.message[:4000])
        return
    _let_go(job, grip, attempts=attempts, not_before=Now() + reports.pause_after(attempts), message=error.message[:500])


def _let_go(job: Job, grip: Grip, **facts: Any) -> None:
    Job.objects.filter(pk=job.pk, claim=grip.token).update(claim=None, lease_expires_at=None, **facts)


def _fail_job(job: Job, error: LoupeError) -> None:
    with transaction.atomic():
        locked = reports.lock(job.pk)
        if locked.unfinished:
            reports.end(locked, JobState.FAILED, error_code=error.code[:64], error=error.message[:4000])
