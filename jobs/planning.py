"""Cutting a job into units: streamed, in short transactions, so that a killed planning goes on where it was."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator

from django.db import transaction
from django.db.models.functions import Now

from foundation.errors import Cancelled, InvalidInput
from jobs import reports
from jobs.heart import Grip
from jobs.kinds import JobKind, UnitSpec
from jobs.leases import LeaseLost
from jobs.models import Job, JobState, Unit

CHUNK = 500
CHUNK_SECONDS = 1.0
KEY_LENGTH = 512


def plan(kind: JobKind, job: Job, grip: Grip) -> None:
    """Write the job's units and let it run. Raises LeaseLost or Cancelled, and whatever the kind raises."""
    planned = 0
    for chunk in _chunks(kind.plan(job)):
        planned = _write(job, grip.token, chunk, planned)
        if grip.cancelled:
            raise Cancelled("The job was cancelled.")
    with transaction.atomic():
        held = _held(job, grip.token)
        reports.recount(held)
        held.state, held.planned_at, held.claim, held.lease_expires_at = JobState.RUNNING, Now(), None, None
        held.attempts, held.not_before = 0, None
        held.save()


def _chunks(specs: Iterable[UnitSpec]) -> Iterator[list[UnitSpec]]:
    chunk: list[UnitSpec] = []
    began = time.monotonic()
    for spec in specs:
        chunk.append(spec)
        if len(chunk) >= CHUNK or time.monotonic() - began >= CHUNK_SECONDS:
            yield chunk
            chunk, began = [], time.monotonic()
    if chunk:
        yield chunk


def _write(job: Job, token: uuid.UUID, chunk: list[UnitSpec], planned: int) -> int:
    for spec in chunk:
        if not 0 < len(spec.key) <= KEY_LENGTH or spec.weight < 0:
            raise InvalidInput(f"A unit's key must have 1 to {KEY_LENGTH} characters and its weight be 0 or more.")
    units = [
        Unit(job=job, key=spec.key, ordinal=ordinal, params=spec.params, weight=spec.weight)
        for ordinal, spec in enumerate(chunk, start=planned)
    ]
    with transaction.atomic():
        _held(job, token)
        Unit.objects.bulk_create(units, ignore_conflicts=True)
        total = planned + len(units)
        Job.objects.filter(pk=job.pk).update(units_total=total, message=f"Planning: {total} found")
    return total


def _held(job: Job, token: uuid.UUID) -> Job:
    locked = Job.objects.select_for_update(no_key=True).filter(pk=job.pk, claim=token, state=JobState.PLANNING).first()
    if locked is None:
        raise LeaseLost("Another worker plans this job.")
    return locked
