"""Cluster runs: the list, one run with its charts and what it changes, applying and dropping."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.models import ClusterRun
from annotation.queries.cluster_run_pages import (
    SHOWN,
    cluster_runs,
    comparable_runs,
    distributions,
    require_run,
    usual_comparison,
)
from annotation.queries.run_differences import difference_of
from annotation.services.clustering_choices import check_applicable, drop_run
from annotation.services.clustering_jobs import applying, start_applying, start_clustering
from foundation.errors import Conflict
from frontend import run_charts
from frontend.pages import found_or_404, is_partial, page, signed_in, told, until_ended, whole_number


@require_safe
@requires(Capability.REVIEW)
def index(request: HttpRequest) -> HttpResponseBase:
    """All runs, newest first."""
    runs = list(cluster_runs()[:SHOWN])
    preview = next((run for run in runs if run.state == ClusterRun.State.PREVIEW), None)
    thresholds = [run_charts.thresholds_of(run) for run in runs]
    rows = [(run, found.get("core"), found.get("merge")) for run, found in zip(runs, thresholds, strict=True)]
    return page(request, "cluster_runs/index.html", "clusters", {"rows": rows, "preview": preview})


@require_safe
@requires(Capability.REVIEW)
def show(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """One run. While it is being applied, htmx asks again and again."""
    run = found_or_404(lambda: require_run(run_id))
    job = applying(run)
    if is_partial(request):
        return until_ended(render(request, "frontend/cluster_runs/applying.html", {"job": job}), ended=job is None)
    context: dict[str, Any] = {"run": run, "job": job, "applicable": _applicable(run)}
    context["calibration"] = run_charts.calibration_chart(run)
    context["estimates"] = [
        (name, estimate)
        for stage, name, _ in run_charts.STAGES
        if (estimate := (run.parameters.get("calibration") or {}).get(stage))
    ]
    if run.kept:  # type: ignore[attr-defined]
        found = distributions(run)
        others = comparable_runs(run)
        wanted = whole_number(request.GET.get("against"))
        against = next((other for other in others if other.pk == wanted), None) or usual_comparison(run, others)
        context |= {
            "sizes": run_charts.sizes_chart(found),
            "widest": run_charts.widest_chart(run, found),
            "similarities": run_charts.distributions_chart(run, found),
            "others": others,
            "difference": difference_of(against, run) if against else None,
        }
    return page(request, "cluster_runs/show.html", "clusters", context)


@require_POST
@requires(Capability.ROUNDS)
def start_preview(request: HttpRequest) -> HttpResponseBase:
    """Cluster anew beside the current clustering."""
    with told(request):
        job = start_clustering(user=signed_in(request), preview=True)
        messages.success(request, "Faces are being clustered. Nothing changes until you apply the preview.")
        return redirect("ui:job", job.pk)
    return redirect("ui:cluster_runs")


@require_POST
@requires(Capability.ROUNDS)
def apply(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Make the run the current one."""
    run = found_or_404(lambda: require_run(run_id))
    with told(request):
        job = start_applying(run_id=run.pk, user=signed_in(request))
        messages.success(request, f"Run {run.pk} is being applied." if job else f"Run {run.pk} is the current one.")
    return redirect("ui:cluster_run", run.pk)


@require_POST
@requires(Capability.ROUNDS)
def drop(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Give a preview up."""
    run = found_or_404(lambda: require_run(run_id))
    with told(request):
        drop_run(run_id=run.pk)
        messages.success(request, f"The preview, run {run.pk}, was dropped. Nothing has changed.")
        return redirect("ui:cluster_runs")
    return redirect("ui:cluster_run", run.pk)


def _applicable(run: ClusterRun) -> bool:
    try:
        check_applicable(run)
    except Conflict:
        return False
    return not run.current
