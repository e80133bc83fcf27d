"""Synthesis: choosing a recipe and looking at its samples, runs, and one run."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.queries.datasets import versions
from foundation.errors import NotFound
from frontend.pages import Key, found_or_404, is_partial, page, signed_in, told, until_ended, whole_number
from frontend.views import trials
from jobs.models import Job
from jobs.queries import get_job, with_progress
from loop.aims import AIM, start_aiming
from models_zoo.evaluation.slices import SLICES
from synthesis import queries
from synthesis.models import SynthesisRun
from synthesis.services.blender import is_ready, setup_job, start_setup

PAGE = 30
SHOWN_FAILURES = 50
KEYS = [Key("R", "Draw other samples: the next seed"), Key("← →", "Sample before, sample after")]


@require_safe
@requires(Capability.SYNTHESIS)
def workbench(request: HttpRequest) -> HttpResponse:
    """Choose a recipe, move its ranges, look at samples, start the job."""
    # Loads the generators, which other pages do without.
    from frontend.synthesis_form import groups_of
    from synthesis.services.runs import usual_name

    recipes = queries.known_recipes()
    name = request.GET.get("recipe") or ("text_label" if "text_label" in recipes else next(iter(recipes), ""))
    aim = found_or_404(lambda: aim_of(whole_number(request.GET.get("aim"), 0) or 0)) if "aim" in request.GET else None
    if is_partial(request) and aim is not None:
        answer = render(request, "frontend/synthesis/aiming.html", {"aim": aim})
        return until_ended(answer, ended=not aim.unfinished)
    if name not in recipes:
        raise Http404
    recipe = recipes[name]
    if aim is not None and aim.result:
        title = f"aimed at {aim.result['slice']['name']}".replace("_", " ")
        recipe = queries.recipe_of(title, " ".join(aim.result["words"][:1]), aim.result["recipe"])
    context: dict[str, Any] = {
        "recipes": recipes.values(),
        "recipe": recipe,
        "wanted": aim.result["recipe"] if aim is not None and aim.result else recipe.name,
        "aim": aim,
        "slices": list(SLICES),
        "dataset": usual_name(recipe.name),
        "setting_groups": groups_of(recipe.settings),
        "seed": whole_number(request.GET.get("seed"), 0),
        "sources": [one for one in versions() if "train" in one.counts] if recipe.needs == "faces" else [],
        "blender": _blender() if recipe.needs == "blender" else None,
        "runs": queries.with_jobs(queries.list_runs()[:5]),
    }
    return page(request, "synthesis/workbench.html", "synthesis", context, keys=KEYS)


@require_POST
@requires(Capability.SYNTHESIS)
def set_up_blender(request: HttpRequest) -> HttpResponseBase:
    """Start the job that makes Blender's environment."""
    with told(request):
        job = start_setup(user=signed_in(request))
        messages.success(request, "Blender is being set up.")
        return redirect("ui:job", job.pk)
    return redirect("ui:synthesis")


@require_POST
@requires(Capability.SYNTHESIS)
def aim_recipe(request: HttpRequest) -> HttpResponseBase:
    """Start the job that proposes a recipe for a slice."""
    recipe = request.POST.get("recipe", "")
    with told(request):
        dataset, slice_name = request.POST.get("dataset", ""), request.POST.get("slice", "")
        split = request.POST.get("split", "val_blackbox")
        job = start_aiming(dataset=dataset, slice=slice_name, split=split, user=signed_in(request))
        return redirect(f"{reverse('ui:synthesis')}?{urlencode({'recipe': recipe, 'aim': job.pk})}")
    return redirect(f"{reverse('ui:synthesis')}?{urlencode({'recipe': recipe})}")


@require_safe
@requires(Capability.SYNTHESIS)
def index(request: HttpRequest) -> HttpResponse:
    """All runs, newest first, a page at a time."""
    runs = queries.list_runs()
    before = whole_number(request.GET.get("before"))
    if before is not None:
        runs = runs.filter(pk__lt=before)
    found = queries.with_jobs(runs[: PAGE + 1])
    following = f"{reverse('ui:synthesis_runs')}?before={found[PAGE - 1].pk}" if len(found) > PAGE else ""
    return page(request, "synthesis/index.html", "synthesis", {"runs": found[:PAGE], "next_url": following})


@require_safe
@requires(Capability.SYNTHESIS)
def show(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """One run. While it works, htmx asks again and again."""
    (run,) = queries.with_jobs([found_or_404(lambda: queries.find_run(run_id))])
    context: dict[str, Any] = {"run": run, "per_minute": queries.images_per_minute(run), "seconds": _seconds(run)}
    unfinished = run.job is not None and run.job.unfinished
    if is_partial(request):
        return until_ended(render(request, "frontend/synthesis/progress.html", context), ended=not unfinished)
    from synthesis.recipes import as_yaml
    from synthesis.services.runs import can_retry

    context |= {
        "failures": queries.failed_items(run)[:SHOWN_FAILURES],
        "failed_shards": queries.failed_shards(run)[:SHOWN_FAILURES],
        "can_retry": can_retry(run),
        "reasons": queries.failures_by_reason(run),
        "yaml": as_yaml(run.recipe),
        "trials": trials.context_of(run, request),
        "sheet": run.shards.exclude(sheet_blob="").exists(),
    }
    return page(request, "synthesis/show.html", "synthesis", context)


@require_POST
@requires(Capability.SYNTHESIS)
def retry(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Make again what failed."""
    from synthesis.services.runs import retry_run

    run = found_or_404(lambda: queries.find_run(run_id))
    with told(request):
        retry_run(run=run, user=signed_in(request))
        messages.success(request, "What failed is being made again.")
    return redirect("ui:synthesis_run", run_id)


def aim_of(job_id: int) -> Job:
    """The job that aims a recipe, with its progress. Raises NotFound."""
    job = get_job(job_id)
    if job.kind != AIM:
        raise NotFound(f"Job {job_id} aims no recipe.")
    return with_progress([job])[0]


def _blender() -> dict[str, Any]:
    job = setup_job()
    return {"ready": is_ready(), "job": with_progress([job])[0] if job is not None else None}


def _seconds(run: SynthesisRun) -> float | None:
    """How long the run's last job took."""
    job = run.job
    if job is None or job.started_at is None or job.finished_at is None:
        return None
    return (job.finished_at - job.started_at).total_seconds()
