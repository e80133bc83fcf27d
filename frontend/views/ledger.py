"""The ledger: every decision, latest first, taken back one by one or many as one step."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.models import Identity
from annotation.queries.decision_access import may_take_back
from annotation.queries.ledger_pages import PAGE, list_decisions
from annotation.services.reversals import Reversal, preview_reversal, take_back
from foundation.errors import LoupeError
from frontend.ledger_filters import Given, address, chips, choices, chosen_by, given_in, in_the_way, titles_of_batches
from frontend.pages import at_least, is_partial, page, signed_in, told

UNDO = "undo-"  # a message that tells of a decision, which the page offers to take back


@require_safe
@requires(Capability.CURATE)
def index(request: HttpRequest) -> HttpResponseBase:
    """Decisions by kind, person, annotator, round, run and time."""
    given = given_in(request.GET)
    size = at_least(request, PAGE)
    found = list_decisions(chosen_by(given), cursor=request.GET.get("after", ""), size=size)
    context: dict[str, Any] = {
        "decisions": found.rows,
        "titles": titles_of_batches(found.rows),
        "next_url": address({**given, "after": found.cursor}) if found.cursor else "",
    }
    if is_partial(request):
        return render(request, "frontend/ledger/rows.html", context)
    shown = chips(given, reader=signed_in(request))
    context |= {
        "given": given,
        "chips": shown,
        "in_the_way": in_the_way(given, shown) if not found.rows else [],
        "reversal_url": _reversal_url(request, given),
        **choices(given),
    }
    return page(request, "ledger/index.html", "ledger", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Capability.CURATE)
def reversal(request: HttpRequest) -> HttpResponseBase:
    """What taking all of the chosen decisions back would change; a POST does it."""
    given = given_in(request.POST if request.method == "POST" else request.GET)
    if request.method == "POST":
        with told(request):
            made = take_back(user=signed_in(request), chosen=chosen_by(given))
            said = f"{len(made)} decision{'s were' if len(made) > 1 else ' was'} taken back as one step"
            messages.success(request, said, extra_tags=f"{UNDO}{made[0].pk}")
        return redirect("ui:ledger")
    context: dict[str, Any] = {"given": given, "query": urlencode(given), "back": address(given)}
    if not is_partial(request):
        context["chips"] = chips(given, reader=signed_in(request))
        return page(request, "ledger/reversal.html", "ledger", context)
    try:
        context["found"] = _shown(preview_reversal(user=signed_in(request), chosen=chosen_by(given)))
    except LoupeError as error:
        context["problem"] = error.message
    return render(request, "frontend/ledger/reversal_preview.html", context)


def _reversal_url(request: HttpRequest, given: Given) -> str:
    """Where the chosen can be taken back together; empty where that is too much or not for this person to do."""
    narrow = {"by", "person", "mining", "run", "batch"} & given.keys()
    if not narrow or not may_take_back(signed_in(request), [given.get("by")]):
        return ""
    return address(given, "ui:ledger_reversal")


def _shown(found: Reversal) -> dict[str, Any]:
    """The preview with people instead of their numbers."""
    numbers = {who for change in found.examples for who in (change.before, change.after) if who and who > 0}
    people = Identity.objects.in_bulk(numbers)

    def told_of(who: int | None) -> dict[str, Any]:
        person = people.get(who or 0)
        name = "nobody" if who is None else str(person or "somebody new")
        return {"name": name, "cover": person.cover_id if person else None}

    faces = [{"face": one.face, "people": (told_of(one.before), told_of(one.after))} for one in found.examples]
    return {**vars(found), "examples": faces}
