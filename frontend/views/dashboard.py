"""The state of the loop on one page, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.permissions import can, capabilities, requires
from accounts.roles import Capability
from annotation.queries.cluster_pages import count_new_faces, current_run
from annotation.queries.overview import Overview, overview
from frontend.pages import is_partial, page
from frontend.round_story import held_out_chart, pool_chart
from jobs.queries import unfinished_jobs
from loop.queries import rounds
from mining.review_pages import count_open_items
from models_zoo.models import ModelRelease
from models_zoo.queries import CHAMPION

ROUNDS = 20
SHOWN_JOBS = 8


@dataclass(frozen=True)
class NextStep:
    """What would help most now."""

    text: str
    link_text: str
    route: str
    needs: str


@require_safe
@requires()
def show(request: HttpRequest) -> HttpResponse:
    """Counts, live model, running jobs, history over rounds."""
    if not can(request.user, Capability.VIEW):
        return redirect("ui:review")
    if is_partial(request):
        return render(request, "frontend/dashboard/running.html", {"jobs": unfinished_jobs()[:SHOWN_JOBS]})
    state = overview()
    open_items = count_open_items()
    history = list(rounds()[:ROUNDS])
    run = current_run()
    held = capabilities(request.user)
    new_faces = count_new_faces(run)
    steps = _next_steps(state, open_items, bool(history), has_run=run is not None, new_faces=new_faces)
    context = {
        "overview": state,
        "open_items": open_items,
        "jobs": unfinished_jobs()[:SHOWN_JOBS],
        "run": run,
        "champion": ModelRelease.objects.filter(aliases__alias=CHAMPION, kind="embedder").first(),
        "last_round": history[0] if history else None,
        "held_out": held_out_chart(history),
        "pool": pool_chart(history),
        "steps": [step for step in steps if step.needs in held],
    }
    return page(request, "dashboard/show.html", "dashboard", context)


def _next_steps(state: Overview, open_items: int, has_rounds: bool, *, has_run: bool, new_faces: int) -> list[NextStep]:
    if not state.photos["all"]:
        return [NextStep("Nothing has been imported yet.", "Import photos", "ui:import", Capability.INGEST)]
    steps = []
    if state.photos["failed"]:
        failed = state.photos["failed"]
        text = f"{failed} file{'' if failed == 1 else 's'} could not be read."
        steps.append(NextStep(text, "See why", "ui:photos", Capability.INGEST))
    if new_faces:
        text = f"{new_faces} face{'' if new_faces == 1 else 's'} came after the last clustering."
        steps.append(NextStep(text, "Cluster", "ui:clusters", Capability.ROUNDS))
    if open_items:
        text = f"{open_items} question{'' if open_items == 1 else 's'} would settle most."
        steps.append(NextStep(text, "Review", "ui:review", Capability.REVIEW))
    if has_run and state.named < state.people:
        unnamed = state.people - state.named
        text = f"{unnamed} {'person has' if unnamed == 1 else 'people have'} no name yet."
        steps.append(NextStep(text, "Name clusters", "ui:clusters", Capability.CURATE))
    if has_run and not has_rounds:
        steps.append(NextStep("No round has run yet.", "Start the first round", "ui:rounds", Capability.ROUNDS))
    return steps
