"""Model releases: the list, one release, moving `champion`."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from frontend.measurements import error_versus_reject, slice_chart, slices_of
from frontend.pages import page, signed_in, told
from frontend.trial_story import trial_of
from loop.queries import trials_of_release
from models_zoo.models import Evaluation, ModelRelease
from models_zoo.queries import CHAMPION, lineage, releases

SHOWN_TRIALS = 5


@require_safe
@requires(Capability.VIEW)
def index(request: HttpRequest) -> HttpResponse:
    """All releases, newest first."""
    return page(request, "models/index.html", "models", {"releases": releases()})


@require_safe
@requires(Capability.VIEW)
def show(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """One release: lineage, licence, what it was measured to do."""
    release = _find(name, version)
    aliases = [alias.alias for alias in release.aliases.all()]
    context = {
        "release": release,
        "aliases": aliases,
        "can_promote": release.kind == ModelRelease.Kind.EMBEDDER and CHAMPION not in aliases,
        "lineage": lineage(release),
        "children": release.children.order_by("id"),
        "evaluations": [_evaluation(one) for one in release.evaluations.all()],
        "reject_curve": error_versus_reject(release),
        "space": getattr(release, "space", None),
        "trials": [trial for job in trials_of_release(str(release))[:SHOWN_TRIALS] if (trial := trial_of(job))],
    }
    return page(request, "models/show.html", "models", context)


@require_POST
@requires(Capability.MODELS)
def promote(request: HttpRequest, name: str, version: int) -> HttpResponseBase:
    """Make a release the champion: its space is built beside the live one and then takes its place."""
    # Loads what embedding needs, which pages do without.
    from loop.promotion import start_promotion

    release = _find(name, version)
    with told(request):
        job = start_promotion(release=release, user=signed_in(request))
        messages.success(request, f"{release} becomes champion as soon as all faces are embedded.")
        return redirect("ui:job", job.pk)
    return redirect("ui:model", name, version)


def _evaluation(one: Evaluation) -> dict[str, object]:
    slices = slices_of(one.metrics)
    return {"one": one, "slices": slices, "chart": slice_chart(slices, title=f"{one.dataset}, {one.split}")}


def _find(name: str, version: int) -> ModelRelease:
    release = releases().filter(name=name, version=version).first()
    if release is None:
        raise Http404
    return release
