"""Small kinds of jobs for tests. What they leave behind is a row per effect, so doubled or lost work is counted."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from foundation.errors import LoupeError, Unavailable
from jobs import services
from jobs.kinds import JobKind, UnitRun, UnitSpec, WaitFor
from jobs.models import Job, Unit


class Corrupt(LoupeError):
    code = "corrupt"


def effects() -> list[str]:
    """What was done, in any order: one entry each time."""
    return sorted(Session.objects.values_list("session_data", flat=True))


class Effect(JobKind):
    """Parameters: `count`, `seconds` each, `plan_seconds` each, `bad` (keys that fail), `flawed` (keys of which a part
    fails), `shaky` (key -> failures)."""

    name = "effect"
    title = "Effects"
    unit_noun = "effect"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        for number in range(job.params["count"]):
            time.sleep(job.params.get("plan_seconds", 0))
            yield UnitSpec(key=f"{number:04d}", params={"number": number}, weight=2)

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        for unit in units:
            self.one(job, unit, run)

    def one(self, job: Job, unit: Unit, run: UnitRun) -> None:
        time.sleep(job.params.get("seconds", 0))
        run.check()
        if unit.key in job.params.get("bad", []):
            raise Corrupt(f"{unit.key} is corrupt.")
        if unit.attempts < job.params.get("shaky", {}).get(unit.key, 0):
            raise Unavailable("Not now.")
        with transaction.atomic():
            Session.objects.create(
                session_key=uuid.uuid4().hex, session_data=f"{job.pk}/{unit.key}", expire_date=timezone.now()
            )
            flaw = Corrupt(f"A part of {unit.key} is corrupt.") if unit.key in job.params.get("flawed", []) else None
            run.done(unit, {"number": unit.params["number"]}, flaw=flaw)

    def finish(self, job: Job) -> dict[str, Any]:
        return {"done": job.units.filter(state=Unit.State.DONE).count()}


class Batched(Effect):
    name = "batched"
    batch_size = 8


class Ordered(Effect):
    name = "ordered"
    sequential = True


class Parent(JobKind):
    """Each unit has a child job with `count` effects."""

    name = "parent"
    title = "Parent"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key=str(number)) for number in range(job.params["children"])]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        child = Job.objects.filter(parent=job, key=f"child:{units[0].pk}").first()
        if child is None:
            params = {"count": job.params["count"], "seconds": job.params.get("seconds", 0)}
            child = services.enqueue(kind="effect", params=params, key=f"child:{units[0].pk}", parent=job)
        if child.unfinished:
            raise WaitFor(child.pk)
        run.done(units[0], {"child": child.pk, "state": child.state})
