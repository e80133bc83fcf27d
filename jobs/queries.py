"""Reads: lists of jobs, how far each is and how long it will take, the errors of its units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, FloatField, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce, Least, NullIf
from django.utils import timezone

from foundation.errors import NotFound
from jobs.models import UNFINISHED, WITH_ERRORS, Job, Unit, UnitState

RATE_WINDOW = timedelta(seconds=60)


@dataclass(frozen=True)
class JobProgress:
    """How far a job is, in weight (photos, faces, steps ... whatever its kind weighs units by).

    Attributes:
        done, total: weight of the ended units plus the part of the running ones that is done; and of all units.
        rate: weight per second over the last minute of work, None while nothing is known.
        seconds_left: at this rate; None for jobs whose units run strictly in order, as these differ too much.
        running: units under work at the moment.
    """

    done: float
    total: float
    rate: float | None
    seconds_left: float | None
    running: int

    @property
    def fraction(self) -> float:
        """0..1"""
        return min(1.0, self.done / self.total) if self.total else 0.0


def job_list(*, state: str | None = None, kind: str | None = None, parent: int | None = None) -> QuerySet[Job]:
    """Jobs, newest first."""
    found = Job.objects.select_related("created_by").order_by("-id")
    if state:
        found = found.filter(state__in=UNFINISHED) if state == "unfinished" else found.filter(state=state)
    if kind:
        found = found.filter(kind=kind)
    return found if parent is None else found.filter(parent=parent)


def get_job(job_id: int) -> Job:
    """Raises NotFound."""
    job = Job.objects.select_related("created_by").filter(pk=job_id).first()
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return job


def units_of(job_id: int, *, state: str | None = None, with_errors: bool = False) -> QuerySet[Unit]:
    """Units in order; `with_errors`: only those that failed, in whole or in part."""
    units = Unit.objects.filter(job=job_id).order_by("ordinal", "pk")
    if with_errors:
        units = units.filter(WITH_ERRORS)
    return units.filter(state=state) if state else units


def error_summary(job_id: int) -> list[tuple[str, int]]:
    """Error codes of the units that failed, in whole or in part, with their counts, the most frequent first."""
    failed = Unit.objects.filter(WITH_ERRORS, job=job_id)
    return list(failed.values_list("error_code").annotate(count=Count("pk")).order_by("-count", "error_code"))


def unfinished_jobs() -> list[Job]:
    """What is under way, oldest first, each with `progress`. Two queries, however many."""
    return with_progress(Job.objects.filter(state__in=UNFINISHED).order_by("id"))


def with_progress(jobs: Iterable[Job]) -> list[Job]:
    """The same jobs, each with an attribute `progress` (a `JobProgress`). One query for all of them."""
    found = list(jobs)
    facts = _unit_facts([job.pk for job in found if job.unfinished])
    now = timezone.now()
    for job in found:
        job.progress = _progress(job, facts.get(job.pk, {}), now)  # type: ignore[attr-defined]
    return found


def progress(job: Job) -> JobProgress:
    """How far one job is."""
    return _progress(job, _unit_facts([job.pk]).get(job.pk, {}), timezone.now())


def progress_of(job: Job) -> tuple[int, int]:
    """Done and total as whole numbers for a progress bar: of the items if the job has one unit, else of the weight."""
    if job.units_total == 1:
        unit = Unit.objects.filter(job=job).only("items_done", "items_total", "state").first()
        if unit is not None and unit.items_total:
            done = unit.items_total if unit.state == UnitState.DONE else unit.items_done
            return done, unit.items_total
    found = progress(job)
    return int(found.done), int(found.total)


def _unit_facts(job_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Per job: `running` units, `partial` weight that they have done, weight that ended within the rate's window."""
    running = Q(state=UnitState.RUNNING)
    recent = Q(ended_at__gt=timezone.now() - RATE_WINDOW, state__in=[UnitState.DONE, UnitState.FAILED])
    share = Cast("items_done", FloatField()) / NullIf(Cast("items_total", FloatField()), Value(0.0))
    partial = F("weight") * Least(Coalesce(share, 0.0), 1.0)
    rows = (
        Unit.objects.filter(running | recent, job__in=job_ids)
        .order_by()
        .values("job_id")
        .annotate(
            running=Count("pk", filter=running),
            partial=Sum(partial, filter=running, output_field=FloatField()),
            recent=Sum("weight", filter=recent),
        )
    )
    return {row["job_id"]: dict(row) for row in rows}


def _progress(job: Job, facts: dict[str, Any], now: datetime) -> JobProgress:
    done = job.weight_done + (facts.get("partial") or 0.0)
    total = float(job.weight_total)
    since = job.planned_at or job.started_at
    rate = None
    if since is not None and done:
        age = ((job.finished_at or now) - since).total_seconds()
        recent = (facts.get("recent") or 0) + (facts.get("partial") or 0.0)
        windowed = job.unfinished and recent and age > RATE_WINDOW.total_seconds()
        rate = recent / RATE_WINDOW.total_seconds() if windowed else done / max(age, 1e-3)
    left = (total - done) / rate if rate and job.unfinished and not job.sequential else None
    return JobProgress(done, total, rate, left, facts.get("running", 0))
