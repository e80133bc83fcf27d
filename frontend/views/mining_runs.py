"""Mining runs: the list, the form that starts one, and what one picked, why, and what its answers changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.queries.picture_access import showable_faces
from foundation.errors import LoupeError
from frontend.charts import histogram
from frontend.measurements import slices_of
from frontend.mining_form import SHARES, chosen_of, form_of
from frontend.pages import found_or_404, is_partial, page, signed_in, until_ended, whole_number
from frontend.round_story import paired
from jobs.models import UnitState
from jobs.queries import units_of
from loop.queries import first_round_of_dataset
from mining.models import ReviewItem
from mining.queries import batch_by_id
from mining.run_effects import effects_of
from mining.run_pages import Picked, mining_jobs, mining_run, mining_runs, sheet_of
from mining.services.runs import MAX_BUDGET, MAX_OVERLAP, start_mining
from mining.strategies import title_of
from mining.strategies.options import BETWEEN

PAGE = 30
SHOWN_FAILURES = 20


@dataclass(frozen=True)
class Story:
    """What one strategy picked, with its charts: of what it measured, and of the value of what it could have asked."""

    picked: Picked
    measured: SafeString
    values: SafeString


@require_safe
@requires(Capability.MINING)
def index(request: HttpRequest) -> HttpResponse:
    """All runs, newest first, a page at a time."""
    jobs = mining_jobs()
    before = whole_number(request.GET.get("before"))
    if before is not None:
        jobs = jobs.filter(pk__lt=before)
    runs = mining_runs(jobs[: PAGE + 1])
    following = f"{reverse('ui:mining_runs')}?before={runs[PAGE - 1].job.pk}" if len(runs) > PAGE else ""
    return page(request, "mining/index.html", "review", {"runs": runs[:PAGE], "next_url": following})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Capability.MINING)
def start(request: HttpRequest) -> HttpResponseBase:
    """The form, and starting a run with it; refused, it comes back as it was filled in."""
    given = request.POST if request.method == "POST" else None
    status = 200
    if given is not None:
        try:
            job = start_mining(user=signed_in(request), **chosen_of(given))
        except LoupeError as error:
            messages.error(request, error.message)
            status = 400
        else:
            messages.success(request, "Mining has started.")
            return redirect("ui:mining_run", job.pk)
    context = {"form": form_of(given), "shares": SHARES, "most": MAX_BUDGET, "most_people": MAX_OVERLAP}
    return page(request, "mining/start.html", "review", context, status=status)


@require_safe
@requires(Capability.MINING)
def show(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """One run. While it looks, htmx asks again and again."""
    run = found_or_404(lambda: mining_run(job_id))
    job = run.job
    if job.unfinished or is_partial(request):
        underway = units_of(job_id).filter(state=UnitState.RUNNING)
        context = {"run": run, "underway": [unit.key for unit in underway]}
        if is_partial(request):
            answer = render(request, "frontend/mining/progress.html", context)
            return until_ended(answer, ended=not job.unfinished)
        return page(request, "mining/show.html", "review", context)
    failed = units_of(job_id, state=UnitState.FAILED)[:SHOWN_FAILURES] if job.units_failed else []
    context = {
        "run": run,
        "stories": [_story(one) for one in run.picked],
        "failed": failed,
        "told": {title_of(name): _words(options) for name, options in (job.params.get("options") or {}).items()},
    }
    return page(request, "mining/show.html", "review", context)


@require_safe
@requires(Capability.MINING)
def sheet(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """A page of a batch's contact sheet: a part of its run's page that comes when it is opened."""
    batch = found_or_404(lambda: batch_by_id(batch_id))
    items, following = sheet_of(batch, start=whole_number(request.GET.get("from"), 0) or 0)
    visible = _visible(items)
    rows = [(item, [face for face in item.faces[:2] if face in visible]) for item in items]
    more = f"{reverse('ui:contact_sheet', args=[batch_id])}?from={following}" if following is not None else ""
    return render(request, "frontend/mining/sheet.html", {"rows": rows, "more": more})


@require_safe
@requires(Capability.MINING)
def changes(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """What the answers changed: a part of the page that comes later, as purity looks at every confirmed face."""
    found_or_404(lambda: mining_run(job_id))
    found = effects_of(job_id)
    model = found.model
    context = {
        "job_id": job_id,
        "changed": found,
        "comparisons": paired(slices_of(model.before), slices_of(model.after)),
        "round": first_round_of_dataset(model.version.pk) if model.version else None,
    }
    return render(request, "frontend/mining/changes.html", context)


def _words(options: Mapping[str, Any]) -> str:
    """As one would write them: `faces 1..3, candidates 1`."""
    return ", ".join(
        f"{name.replace('_', ' ')} {BETWEEN.join(f'{end:g}' for end in value) if isinstance(value, list) else value}"
        for name, value in options.items()
    )


def _visible(items: list[ReviewItem]) -> set[int]:
    faces = {face for item in items for face in item.faces[:2]}
    return set(showable_faces().filter(pk__in=faces).values_list("pk", flat=True))


def _story(one: Picked) -> Story:
    return Story(one, _chart(one, "histogram", "What it measured"), _chart(one, "values", "Value of what it could ask"))


def _chart(one: Picked, name: str, title: str) -> SafeString:
    """A histogram that mining noted, if any."""
    noted = one.batch.report.get(name)
    if not isinstance(noted, dict) or not noted.get("counts"):
        return SafeString("")
    return histogram(
        noted["counts"],
        low=noted.get("low", 0.0),
        high=noted.get("high", 1.0),
        title=f"{one.title}: {title.lower()}",
        mark=noted.get("threshold"),
    )
