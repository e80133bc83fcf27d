"""Background jobs: the list, one job, cancelling and retrying."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from frontend.pages import found_or_404, is_partial, page, told, until_ended, whole_number
from frontend.trial_story import trial_of
from jobs import queries, services
from jobs.models import Job, JobState, UnitState
from loop.aims import TRIAL

PAGE = 50
SHOWN_UNITS = 100


@require_safe
@requires(Capability.VIEW)
def index(request: HttpRequest) -> HttpResponse:
    """All jobs, latest first. While one is unfinished, htmx asks for the first page again and again."""
    kind, state = request.GET.get("kind", ""), request.GET.get("state", "")
    before = whole_number(request.GET.get("before"))
    found = queries.job_list(state=state, kind=kind)
    if before is not None:
        found = found.filter(pk__lt=before)
    jobs = queries.with_progress(found[: PAGE + 1])
    following = jobs[PAGE - 1].pk if len(jobs) > PAGE else None
    jobs = jobs[:PAGE]
    chosen = {"kind": kind, "state": state}
    here = f"{reverse('ui:jobs')}?{urlencode(chosen)}"
    context = {
        "jobs": jobs,
        "live": before is None and any(job.unfinished for job in jobs),
        "here": here,
        "next_url": f"{here}&before={following}" if following else "",
    }
    if is_partial(request):
        return render(request, "frontend/jobs/table.html", context)
    kinds = Job.objects.order_by("kind").values_list("kind", flat=True).distinct()
    states = [("unfinished", "Unfinished"), *JobState.choices]
    context |= {"kinds": kinds, "states": states, "kind": kind, "state": state}
    return page(request, "jobs/index.html", "jobs", context)


@require_safe
@requires(Capability.VIEW)
def show(request: HttpRequest, job_id: int) -> HttpResponse:
    """One job: how far it is, what failed and why."""
    job = found_or_404(lambda: queries.with_progress([queries.get_job(job_id)])[0])
    underway = queries.units_of(job_id).filter(state__in=(UnitState.RUNNING, UnitState.WAITING))
    errors = queries.error_summary(job_id)
    context = {
        "job": job,
        "seconds": _seconds(job),
        "units_rate": _units_rate(job),
        "underway": underway[:12] if job.unfinished else [],
        "failed": queries.units_of(job_id, with_errors=True)[:SHOWN_UNITS],
        "errors": errors,
        "units_with_errors": sum(count for _, count in errors),
        "children": queries.with_progress(queries.job_list(parent=job_id)),
    }
    if is_partial(request):
        return until_ended(render(request, "frontend/jobs/progress.html", context), ended=not job.unfinished)
    slowest = queries.units_of(job_id).filter(seconds__gt=0).order_by("-seconds", "ordinal")[:5]
    trial = trial_of(job) if job.kind == TRIAL else None
    return page(request, "jobs/show.html", "jobs", {**context, "slowest": slowest, "trial": trial})


@require_POST
@requires(Capability.JOBS)
def cancel(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """Ask a job to end."""
    with told(request):
        services.cancel(job_id=job_id)
        messages.success(request, f"Job {job_id} is being cancelled. What is done stays done.")
    return redirect("ui:job", job_id)


@require_POST
@requires(Capability.JOBS)
def retry(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """Run again what failed or was cancelled."""
    with told(request):
        services.retry_failed(job_id=job_id)
        messages.success(request, f"Job {job_id} tries again what had failed.")
    return redirect("ui:job", job_id)


def _units_rate(job: Job) -> float | None:
    """Units per second: the rate counts weight, and people count files."""
    rate: float | None = job.progress.rate  # type: ignore[attr-defined]
    return rate * job.units_total / job.weight_total if rate and job.weight_total else None


def _seconds(job: Job) -> float | None:
    """How long the job has run, or ran."""
    if job.started_at is None:
        return None
    return ((job.finished_at or timezone.now()) - job.started_at).total_seconds()
