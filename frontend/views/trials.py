"""Whether a run's synthetic faces help: comparing real faces alone with real and synthetic ones."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import can, requires
from accounts.roles import Capability
from annotation.exporters.splits import TRAIN, TRAIN_EXTRA, VAL_BLACKBOX
from annotation.queries.datasets import versions
from frontend.pages import found_or_404, signed_in, told, until_ended
from frontend.trial_story import trial_of
from jobs.queries import with_progress
from loop.aims import start_trial
from loop.queries import trials_with
from synthesis import queries
from synthesis.models import SynthesisRun

NEEDED = (TRAIN, VAL_BLACKBOX)


@require_safe
@requires(Capability.SYNTHESIS)
def of_run(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """The part of a run's page that htmx asks for while models are trained."""
    context = context_of(found_or_404(lambda: queries.find_run(run_id)), request)
    return until_ended(render(request, "frontend/synthesis/trials.html", context), ended=context["trying"] is None)


@require_POST
@requires(Capability.ROUNDS)
def start(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Start training without and with the run's faces."""
    run = found_or_404(lambda: queries.find_run(run_id))
    with told(request):
        start_trial(dataset=request.POST.get("dataset", ""), extras=[str(run.version)], user=signed_in(request))
        messages.success(request, "Two models are being trained, one after the other.")
    return redirect(f"{reverse('ui:synthesis_run', args=[run_id])}#trials")


def context_of(run: SynthesisRun, request: HttpRequest) -> dict[str, Any]:
    """What `synthesis/trials.html` shows of a run; `has_faces` is false where there is nothing to train with."""
    if run.version is None or "identities" not in run.version.counts.get(TRAIN_EXTRA, {}):
        return {"run": run, "has_faces": False, "trying": None}
    jobs = list(trials_with(run.version.pk)[:20])
    ended = [job for job in jobs if not job.unfinished]
    trying = next((job for job in jobs if job.unfinished), None)
    return {
        "run": run,
        "has_faces": True,
        "trying": with_progress([trying])[0] if trying else None,
        "trial": next((trial for job in ended if (trial := trial_of(job))), None),
        "failed": ended[0] if ended and not ended[0].result else None,
        "can_try": can(signed_in(request), Capability.ROUNDS),
        "judged_by": [one for one in versions() if all(one.counts.get(name, {}).get("faces") for name in NEEDED)],
    }
