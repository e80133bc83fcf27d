"""Who may work on what: claims, their renewal, and taking back what a dead worker held.

A claim is a random token. Every write of a worker names its token, so a worker whose lease was taken over can't
report over its successor. All times are the database's, as workers' clocks differ.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from foundation.errors import Cancelled
from jobs.models import OPEN, Job, JobState, Unit, UnitState

LEASE = timedelta(seconds=settings.LOUPE_LEASE_SECONDS)
# Work inside somebody else's transaction can't be renewed from outside; nobody else sees it either.
UNRENEWED_LEASE = timedelta(hours=12)


class LeaseLost(Cancelled):
    """Somebody else has taken this work over; what we report does not count."""

    code = "lease_lost"


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def due(*, patient: bool = True) -> Q:
    """Not held back by a pause after an error. Impatient callers ignore pauses."""
    return Q(not_before=None) | Q(not_before__lte=Now()) if patient else Q()


def claim_units(job: Job, *, batch: int, lease: timedelta = LEASE, patient: bool = True) -> list[Unit]:
    """Take up to `batch` pending units; [] if none is due. A unit marked `alone` comes by itself, after the others."""
    with transaction.atomic():
        if not Job.objects.filter(pk=job.pk, state=JobState.RUNNING, cancel_requested_at=None).exists():
            return []
        candidates = _next_in_order(job) if job.sequential else Unit.objects.filter(job=job)
        units = list(
            candidates.filter(due(patient=patient), state=UnitState.PENDING)
            .order_by("alone", "ordinal", "pk")
            .select_for_update(skip_locked=True, no_key=True)[: 1 if job.sequential else batch]
        )
        units = units[:1] if units and units[0].alone else [unit for unit in units if not unit.alone]
        token, name = uuid.uuid4(), worker_name()
        Unit.objects.filter(pk__in=[unit.pk for unit in units]).update(
            state=UnitState.RUNNING,
            claim=token,
            worker=name,
            lease_expires_at=Now() + lease,
            started_at=Coalesce(F("started_at"), Now()),
            items_done=0,
            items_total=0,
        )
    for unit in units:
        unit.state, unit.claim, unit.worker = UnitState.RUNNING, token, name
    return units


def _next_in_order(job: Job) -> QuerySet[Unit]:
    first = Unit.objects.filter(job=job).exclude(state=UnitState.DONE).order_by("ordinal", "pk").values("pk")[:1]
    return Unit.objects.filter(pk__in=list(first.values_list("pk", flat=True)))


def claim_planning(job_id: int, *, lease: timedelta = LEASE, patient: bool = True) -> uuid.UUID | None:
    """Become the planner of a job that is queued, or whose planner has vanished."""
    return _claim_job(job_id, Q(state__in=[JobState.QUEUED, JobState.PLANNING]), JobState.PLANNING, lease, patient)


def claim_ending(job_id: int, *, lease: timedelta = LEASE, patient: bool = True) -> uuid.UUID | None:
    """Become the one who ends a job that has no unit left to run."""
    return _claim_job(job_id, Q(state=JobState.RUNNING) & all_ended(), JobState.RUNNING, lease, patient)


def all_ended() -> Q:
    """For Job: no unit will ever run again. In a sequential job the units after a failed one never do."""
    units = Unit.objects.filter(job=OuterRef("pk"))
    busy = units.filter(state__in=[UnitState.RUNNING, UnitState.WAITING])
    stopped = Q(sequential=True) & Exists(units.filter(state=UnitState.FAILED)) & ~Exists(busy)
    return ~Exists(units.filter(state__in=OPEN)) | stopped


def _claim_job(job_id: int, condition: Q, state: JobState, lease: timedelta, patient: bool) -> uuid.UUID | None:
    token = uuid.uuid4()
    free = Q(claim=None) | Q(lease_expires_at__lt=Now())
    taken = Job.objects.filter(condition, free, due(patient=patient), pk=job_id, cancel_requested_at=None).update(
        state=state, claim=token, lease_expires_at=Now() + lease, started_at=Coalesce(F("started_at"), Now())
    )
    return token if taken else None


def renew(tokens: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Extend the leases behind `tokens`; those that are still held."""
    wanted = list(tokens)
    units = Unit.objects.filter(claim__in=wanted, state=UnitState.RUNNING)
    units.update(lease_expires_at=Now() + LEASE)
    jobs = Job.objects.filter(claim__in=wanted)
    jobs.update(lease_expires_at=Now() + LEASE)
    held = {*units.values_list("claim", flat=True), *jobs.values_list("claim", flat=True)}
    return {token for token in held if token is not None}


def cancel_requested(job_ids: Iterable[int]) -> set[int]:
    """Which of these jobs somebody wants to end."""
    return set(Job.objects.filter(pk__in=list(job_ids)).exclude(cancel_requested_at=None).values_list("pk", flat=True))
