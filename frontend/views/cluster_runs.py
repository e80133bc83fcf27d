"""Cluster runs: the list, one run with its charts and what it changes, applying and dropping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
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
from annotation.queries.convergence import label_change
from annotation.queries.run_differences import ClusterChange, Kind, RunDifference, kept_difference, list_changes
from annotation.services.clustering_choices import check_applicable, drop_run
from annotation.services.clustering_jobs import applying, start_applying, start_clustering
from foundation.errors import Conflict
from frontend import run_charts
from frontend.clustering_form import chosen_settings, sliders_of
from frontend.convergence_story import charts_of_runs, settled_words
from frontend.pages import found_or_404, is_partial, page, signed_in, told, until_ended, whole_number

LISTS: dict[str | None, Kind] = {"split": "split", "merged": "merged"}


@require_safe
@requires(Capability.CURATE)
def index(request: HttpRequest) -> HttpResponseBase:
    """All runs, newest first."""
    runs = list(cluster_runs()[:SHOWN])
    preview = next((run for run in runs if run.state == ClusterRun.State.PREVIEW), None)
    thresholds = [run_charts.thresholds_of(run) for run in runs]
    rows = [
        (run, found.get("core"), found.get("merge"), label_change(run.metrics))
        for run, found in zip(runs, thresholds, strict=True)
    ]
    current = next((run for run in runs if run.current), None)
    change = label_change(current.metrics) if current else None
    context = {"rows": rows, "preview": preview, "change": change, "settled": settled_words(change)}
    return page(request, "cluster_runs/index.html", "clusters", context)


@require_safe
@requires(Capability.CURATE)
def convergence(request: HttpRequest) -> HttpResponseBase:
    """The charts of the list, which come later: purity looks at every confirmed face."""
    charts = charts_of_runs(list(cluster_runs()[:SHOWN]))
    return render(request, "frontend/partials/chart_cards.html", {"charts": charts})


@require_safe
@requires(Capability.CURATE)
def show(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """One run. While it is being applied, htmx asks again and again."""
    run = found_or_404(lambda: require_run(run_id))
    job = applying(run)
    if is_partial(request):
        return until_ended(render(request, "frontend/cluster_runs/applying.html", {"job": job}), ended=job is None)
    context: dict[str, Any] = {"run": run, "job": job, "applicable": _applicable(run)}
    context |= {
        "calibration": run_charts.calibration_chart(run),
        "heights": run_charts.heights_chart(run),
        "merges": run_charts.merges_chart(run),
        "chosen": run_charts.chosen_of(run),
        "sliders": sliders_of(run),
    }
    context["estimates"] = [
        (name, estimate)
        for stage, name, _ in run_charts.STAGES
        if (estimate := (run.parameters.get("calibration") or {}).get(stage))
    ]
    if run.kept:  # type: ignore[attr-defined]
        found = distributions(run)
        context |= {
            "sizes": run_charts.sizes_chart(found),
            "widest": run_charts.widest_chart(run, found),
            "similarities": run_charts.distributions_chart(run, found),
            "against": _compared(request, run, comparable_runs(run)),
        }
    return page(request, "cluster_runs/show.html", "clusters", context)


@require_safe
@requires(Capability.CURATE)
def difference(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """What a run changes: a part of its page that comes later, as the comparison takes seconds for a million faces.
    With `list` and `page`, only the next clusters of a list."""
    run = found_or_404(lambda: require_run(run_id))
    others = comparable_runs(run) if run.kept else []  # type: ignore[attr-defined]
    against = _compared(request, run, others)
    context: dict[str, Any] = {"run": run, "others": others}
    if against is not None:
        found = kept_difference(against, run)
        context["difference"] = found
        if is_partial(request) and (kind := request.GET.get("list")) in LISTS:
            changes, more = _listed(found, LISTS[kind], whole_number(request.GET.get("page"), 0) or 0)
            return render(request, "frontend/cluster_runs/changed_rows.html", {"changes": changes, "more": more})
        context["splits"], context["more_splits"] = _listed(found, "split", 0)
        context["merges"], context["more_merges"] = _listed(found, "merged", 0)
    if not is_partial(request):
        return page(request, "cluster_runs/difference_page.html", "clusters", context)
    name = "difference" if against else "nothing_to_compare"
    return render(request, f"frontend/cluster_runs/{name}.html", context)


@require_POST
@requires(Capability.ROUNDS)
def start_preview(request: HttpRequest) -> HttpResponseBase:
    """Cluster anew beside the current clustering, with the settings that were chosen on a run's page, if any."""
    number = whole_number(request.POST.get("run"))
    with told(request):
        settings = chosen_settings(require_run(number).space, request.POST.dict()) if number else {}
        job = start_clustering(user=signed_in(request), preview=True, settings=settings)
        messages.success(request, "Faces are being clustered. Nothing changes until you apply the preview.")
        return redirect("ui:job", job.pk)
    return redirect("ui:cluster_run", number) if number else redirect("ui:cluster_runs")


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


def _compared(request: HttpRequest, run: ClusterRun, others: Sequence[ClusterRun]) -> ClusterRun | None:
    """The run that was asked for, or else the usual one."""
    wanted = whole_number(request.GET.get("against"))
    return next((other for other in others if other.pk == wanted), None) or usual_comparison(run, others)


def _listed(found: RunDifference, kind: Kind, number: int) -> tuple[list[ClusterChange], str]:
    """A page of changed clusters, and the address of the next one, empty without."""
    changes, more = list_changes(found, kind, number)
    query = urlencode({"against": found.before.pk, "list": kind, "page": number + 1})
    address = reverse("ui:cluster_run_difference", args=[found.after.pk])
    return changes, f"{address}?{query}" if more else ""


def _applicable(run: ClusterRun) -> bool:
    try:
        check_applicable(run)
    except Conflict:
        return False
    return not run.current
