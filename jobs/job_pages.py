"""What the job pages show."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, QuerySet
from django.utils import timezone

from jobs.models import UNFINISHED, Job, JobState, Unit, UnitState

PAGE = 50
ERRORS_PAGE = 100
UNITS_PAGE = 100


@dataclass(frozen=True)
class Pace:
    """How far a job is, from its units alone.

    Attributes:
        share: done work by weight, 0..1; None while it is being planned.
        rate: units per second since it began, None before the first has ended.
        left: seconds to go at that rate, None where nothing can be said.
        seconds: how long it has run, or ran.
    """

    share: float | None
    rate: float | None
    left: float | None
    seconds: float | None


def pace_of(job: Job) -> Pace:
    """Progress, rate and time left of one job."""
    if job.started_at is None:
        return Pace(None, None, None, None)
    end = job.finished_at or timezone.now()
    seconds = max((end - job.started_at).total_seconds(), 0.0)
    share = job.weight_done / job.weight_total if job.weight_total and job.planned_at else None
    rate = job.units_done / seconds if job.units_done and seconds else None
    left = None
    if share and job.state in UNFINISHED:
        left = seconds * (1.0 - share) / share
    return Pace(share, rate, left, seconds)


def unfinished_jobs(*, limit: int = 8) -> list[Job]:
    """Jobs that are not the work of another job, oldest first, each with its `pace`."""
    return _with_pace(Job.objects.filter(state__in=UNFINISHED, parent=None).order_by("id")[:limit])


def list_jobs(*, kind: str = "", state: str = "", before: int | None = None) -> tuple[list[Job], int | None]:
    """Jobs, latest first, each with its `pace`, and the id before which the next page begins."""
    rows = Job.objects.select_related("created_by").order_by("-id")
    if kind:
        rows = rows.filter(kind=kind)
    if state:
        rows = rows.filter(state=state)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = _with_pace(rows[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


def find_job(job_id: int) -> Job | None:
    """One job with its `pace`."""
    return next(iter(_with_pace(Job.objects.select_related("created_by", "parent").filter(pk=job_id))), None)


def child_jobs(job: Job) -> list[Job]:
    """The jobs that this one started and waits for."""
    return _with_pace(job.children.order_by("id"))


def count_units(job: Job) -> dict[str, int]:
    """{state: units}, every state named."""
    rows = job.units.order_by().values_list("state").annotate(n=Count("pk"))
    return dict.fromkeys(UnitState.values, 0) | dict(rows)


def failed_units(job: Job, *, after: int | None = None) -> list[Unit]:
    """Units that failed, in order, at most ERRORS_PAGE."""
    rows = job.units.filter(state=UnitState.FAILED).order_by("ordinal")
    if after is not None:
        rows = rows.filter(ordinal__gt=after)
    return list(rows[:ERRORS_PAGE])


def active_units(job: Job, *, limit: int = 12) -> list[Unit]:
    """Units that run or wait at the moment."""
    return list(job.units.filter(state__in=(UnitState.RUNNING, UnitState.WAITING)).order_by("ordinal")[:limit])


def kinds_used() -> list[str]:
    """Kinds of which there are jobs."""
    return list(Job.objects.order_by("kind").values_list("kind", flat=True).distinct())


def states() -> list[tuple[str, str]]:
    """All job states with their names."""
    return list(JobState.choices)


def slowest_units(job: Job, *, limit: int = 5) -> list[Unit]:
    """Which units took longest."""
    return list(job.units.filter(seconds__gt=0).order_by(F("seconds").desc(), "ordinal")[:limit])


def _with_pace(rows: QuerySet[Job]) -> list[Job]:
    jobs = list(rows)
    for job in jobs:
        job.pace = pace_of(job)  # type: ignore[attr-defined]
    return jobs
