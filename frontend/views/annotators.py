"""How people answer: everybody beside each other for those who may see that, and oneself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.permissions import can, requires
from accounts.roles import Capability
from frontend.charts import Bar, Series, bar_chart, histogram, line_chart
from frontend.pages import found_or_404, page, signed_in
from mining.annotators import (
    Annotator,
    agreements,
    answers_by_day,
    batch_agreements,
    find_annotator,
    list_annotators,
    seconds_histogram,
)
from mining.models import ErrorModel
from mining.services.drafts import ANSWERS

BINS, LONGEST_SHOWN = 24, 30.0
KINDS = {"pair": "Pairs", "suspect": "Suspects", "cluster": "Clusters", "merge": "Merges"}


@require_safe
@requires(Capability.REVIEW)
def index(request: HttpRequest) -> HttpResponse:
    """Everybody whom the viewer may see; who may see nobody else gets their own page."""
    viewer = signed_in(request)
    if not can(viewer, Capability.ADJUDICATE):
        return show(request, viewer.pk)
    found = list_annotators(viewer)
    context = {
        "annotators": found if any(one.answers or one.skipped for one in found) else [],
        "batches": batch_agreements(),
        "accuracy": _accuracy([(one.user.username, one) for one in found]),
        "learned_at": max((one.learned_at for one in found if one.learned_at), default=None),
    }
    return page(request, "annotators/index.html", "annotators", context)


@require_safe
@requires(Capability.REVIEW)
def show(request: HttpRequest, user_id: int) -> HttpResponse:
    """One person's answers."""
    viewer = signed_in(request)
    found = found_or_404(lambda: find_annotator(viewer, user_id))
    agreed = agreements(viewer, user_id=user_id)
    names = User.objects.in_bulk([one.other for one in agreed])
    days = answers_by_day(user_id)
    context: dict[str, Any] = {
        "annotator": found,
        "own": found.user == viewer,
        "agreements": [(names.get(one.other), KINDS.get(one.asks, one.asks), one) for one in agreed],
        "matrices": [_matrix(model) for model in found.models],
        "by_day": line_chart(
            [Series("Answers", [count for _, count in days])],
            [f"{day:%d %b}" for day, _ in days],
            title="Answers per day",
            floor=0,
        ),
        "seconds": histogram(
            seconds_histogram(user_id, bins=BINS, most=LONGEST_SHOWN),
            low=0.0,
            high=LONGEST_SHOWN,
            title="Seconds per answer",
            mark=found.median_seconds,
            mark_name="median",
        ),
    }
    return page(request, "annotators/show.html", "annotators", context)


def _accuracy(annotators: list[tuple[str, Annotator]]) -> SafeString:
    bars = [
        Bar(name, one.known.share, one.known.low, one.known.high)
        for name, one in annotators
        if one.known.right + one.known.wrong
    ]
    return bar_chart(bars, title="Right where the answer is known", most=1.0)


def _matrix(model: ErrorModel) -> dict[str, Any]:
    """Rows: what is true; columns: what the person says."""
    answers = ANSWERS.get(model.asks, ())
    rows = [(true, [(said, model.errors.get(true, {}).get(said)) for said in answers]) for true in answers]
    return {
        "kind": KINDS.get(model.asks, model.asks),
        "answers": answers,
        "rows": rows,
        "model": model,
    }
