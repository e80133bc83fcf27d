"""Rounds of the loop: the list, starting one, one round with its stages."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.exporters.splits import TRAIN_EXTRA
from annotation.queries.datasets import versions
from frontend.convergence_story import charts_of_rounds, settled_words, until_words
from frontend.pages import found_or_404, is_partial, page, signed_in, told, until_ended, whole_number
from frontend.round_story import compare, held_out_chart, job_ids, pool_chart, steps_of
from frontend.trial_story import trial_of
from jobs.models import Job
from loop import services
from loop.aims import EXTRAS, TRIAL
from loop.models import Round
from loop.queries import round_by_number, rounds
from loop.settling import MOST_ROUNDS, UNTIL, USUAL_ROUNDS, change_of, has_settled, target_of

SHOWN = 100


@require_safe
@requires(Capability.VIEW)
def index(request: HttpRequest) -> HttpResponse:
    """All rounds and how the measurements moved."""
    found = list(rounds()[:SHOWN])
    for one in found:
        one.change = change_of(one)  # type: ignore[attr-defined]
    ended = next((one for one in found if one.finished_at is not None and change_of(one) is not None), None)
    context = {
        "rounds": found,
        "running": next((one for one in found if one.finished_at is None), None),
        "held_out": held_out_chart(found),
        "pool": pool_chart(found),
        "charts": charts_of_rounds(found),
        "settled": settled_words(change_of(ended), target_of(ended)) if ended else "",
        "has_settled": ended is not None and has_settled(ended),
        "usual_rounds": USUAL_ROUNDS,
        "most_rounds": MOST_ROUNDS,
        "synthetic": [one for one in versions() if "identities" in one.counts.get(TRAIN_EXTRA, {})],
    }
    return page(request, "rounds/index.html", "rounds", context)


@require_safe
@requires(Capability.VIEW)
def show(request: HttpRequest, number: int) -> HttpResponseBase:
    """One round. While it runs, htmx asks for the stages again and again."""
    round = found_or_404(lambda: round_by_number(number))
    jobs = _jobs(round)
    context = {
        "round": round,
        "steps": steps_of(round, jobs),
        "trial": next((trial for job in jobs.values() if job.kind == TRIAL and (trial := trial_of(job))), None),
        "comparisons": compare(round),
        "settled": settled_words(change_of(round), target_of(round)),
        "has_settled": has_settled(round),
        "until": until_words(round),
    }
    if is_partial(request):
        ended = round.finished_at is not None
        return until_ended(render(request, "frontend/rounds/progress.html", context), ended=ended)
    return page(request, "rounds/show.html", "rounds", context)


@require_POST
@requires(Capability.ROUNDS)
def start(request: HttpRequest) -> HttpResponseBase:
    """Start the next round."""
    budget = whole_number(request.POST.get("mining_budget"), 100) or 0
    parameters: dict[str, Any] = {"mining_budget": min(budget, 10_000)}
    if "until_settled" in request.POST:
        parameters[UNTIL] = {"rounds": whole_number(request.POST.get("most_rounds"), USUAL_ROUNDS)}
    if extras := request.POST.getlist(EXTRAS):
        parameters[EXTRAS] = extras
    with told(request):
        made = services.start_round(user=signed_in(request), parameters=parameters)
        more = " Others follow until labels have settled." if UNTIL in parameters else ""
        messages.success(request, f"Round {made.number} has started.{more}")
        return redirect("ui:round", made.number)
    return redirect("ui:rounds")


@require_POST
@requires(Capability.ROUNDS)
def abandon(request: HttpRequest, number: int) -> HttpResponseBase:
    """End a round that failed, so that another can start."""
    round = found_or_404(lambda: round_by_number(number))
    with told(request):
        services.abandon_round(round_id=round.pk)
        messages.success(request, f"Round {number} was abandoned. What its stages did stays.")
    return redirect("ui:round", number)


def _jobs(round: Round) -> dict[int, Job]:
    return Job.objects.in_bulk(job_ids([round]))
