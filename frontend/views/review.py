"""Review: batches of questions that mining picked, and the page that asks them one by one."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import can, requires
from accounts.roles import Capability
from frontend.charts import histogram
from frontend.pages import Key, found_or_404, page, signed_in, whole_number
from mining.item_faces import shots_of_item
from mining.models import ReviewBatch
from mining.queues import Queue, count_left, list_queues, next_queue, rest_of
from mining.review_pages import find_batch, list_boards, list_questions

SHOTS = 6  # photos shown at once
VIEW, YEAR = "review_view", 365 * 24 * 3600  # the cookie that remembers whether pairs are asked one by one

FACES = [
    Key("← ↑ → ↓", "Move from face to face"),
    Key("Space", "Select the face; arrows with Shift select all up to it"),
    Key("", "Ignore the selected face", "ignore"),
    Key("", "The selected face is none", "not_a_face"),
]
WHO = [
    Key("", "The person on the left: as labelled", "confirm"),
    Key("", "The person on the right", "different"),
    Key("1 2", "The left or the right person"),
    Key("", "Neither of the two", "reject"),
    Key("", "Both are one person, who gets one name", "merge"),
    Key("", "Somebody else, whom you search", "search"),
    Key("", "Ignore the face", "ignore"),
    Key("", "It is no face", "not_a_face"),
    Key("", "Show or hide the photos", "photos"),
    Key("", "Skip", "skip"),
]
TWO = [
    Key("", "Same person", "confirm"),
    Key("", "Same person, too", "merge"),
    Key("", "Different people", "different"),
    Key("", "Different people, too", "reject"),
    *FACES,
    Key("", "Look up a person", "search"),
    Key("", "Show or hide the photos", "photos"),
    Key("", "Skip, while no face is current", "skip"),
]
ONE = [
    Key("", "One person; what is selected is not", "confirm"),
    Key("← ↑ → ↓", "Move from face to face"),
    Key("Space", "Select the face; arrows with Shift select all up to it"),
    Key("Ctrl A", "Select all faces"),
    Key("", "Reject what is selected, confirm the rest", "reject"),
    Key("", "Split: what is selected becomes a person of its own, once the rest is confirmed", "split"),
    Key("", "Ignore what is selected, once the rest is confirmed", "ignore"),
    Key("", "What is selected is no face, once the rest is confirmed", "not_a_face"),
    Key("", "Name the person", "name"),
    Key("", "Merge: the same as somebody whom you search", "merge"),
    Key("1 … 9", "The same person as that proposal"),
    Key("", "The two that are marked are different people", "different"),
    Key("", "Show or hide the photos of what is selected", "photos"),
    Key("", "Skip, while no face is current", "skip"),
]
BOARD = [
    Key("", "Send: what is selected is the exception", "confirm"),
    Key("← ↑ → ↓", "Move from pair to pair"),
    Key("Space", "Select the pair; arrows with Shift select all up to it"),
    Key("", "This pair, or those selected: different people", "different"),
    Key("", "The same person", "merge"),
    Key("", "Not sure: leave out", "ignore"),
    Key("", "Show or hide the photos of the pair", "photos"),
]
KEYS = {"pair": TWO, "suspect": WHO, "cluster": ONE, "merge": TWO}


@require_safe
@requires(Capability.REVIEW)
def index(request: HttpRequest) -> HttpResponse:
    """Batches with questions for this person, most valuable first, and the others."""
    found = list_queues(signed_in(request))
    return page(request, "review/index.html", "review", {"open": found.open, "closed": found.closed})


@require_safe
@requires(Capability.REVIEW)
def show(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The batch's next open questions, one visible at a time."""
    batch = find_batch(batch_id)
    if batch is None:
        raise Http404
    user = signed_in(request)
    context: dict[str, Any] = {
        "queue": Queue(batch, count_left(batch, user)),
        "batch": batch,
        "spread": _spread(batch) if can(user, Capability.MINING) else "",
    }
    chosen = request.GET.get("view", request.COOKIES.get(VIEW, ""))
    if batch.asks == ReviewBatch.Asks.PAIR and chosen == "board":
        context["boards"] = boards = list_boards(batch, user_id=user.pk)
        context["here"], template, keys = sum(len(board.questions) for board in boards), "board", BOARD
    else:
        context["questions"] = questions = list_questions(batch, user_id=user.pk)
        context["here"], template, keys = len(questions), "show", KEYS[batch.asks]
    if not context["here"]:
        context |= {"rest": rest_of(batch, user), "next": next_queue(user, without=batch.pk)}
    response = page(request, f"review/{template}.html", "review", context, keys=keys)
    if "view" in request.GET:
        response.set_cookie(VIEW, chosen, max_age=YEAR, httponly=True, samesite="Lax", secure=request.is_secure())
    return response


@require_safe
@requires(Capability.REVIEW)
def shots(request: HttpRequest, item_id: int) -> HttpResponse:
    """The photos of some of the `faces` that a question shows, the first few of them."""
    listed = request.GET.get("faces", "").split(",")[:SHOTS]
    wanted = [number for text in listed if (number := whole_number(text))]
    faces = found_or_404(lambda: shots_of_item(item_id, wanted))
    return render(request, "frontend/review/chosen_shots.html", {"faces": faces})


def _spread(batch: ReviewBatch) -> str:
    """The histogram that mining noted, if any: `{"counts": [...], "low": ., "high": ., "threshold": .}`."""
    noted = batch.report.get("histogram")
    if not isinstance(noted, dict) or not noted.get("counts"):
        return ""
    return histogram(
        noted["counts"],
        low=noted.get("low", 0.0),
        high=noted.get("high", 1.0),
        title="What was considered",
        mark=noted.get("threshold"),
    )
