"""The ledger: every decision, latest first, taken back one by one or many as one step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.permissions import requires
from accounts.roles import Capability
from annotation.ledger.entries import Kind
from annotation.models import Identity
from annotation.queries.decision_access import may_take_back
from annotation.queries.ledger_pages import PAGE, LedgerFilter, list_decisions
from annotation.services.reversals import Reversal, preview_reversal, take_back
from foundation.errors import LoupeError
from frontend.pages import at_least, is_partial, page, signed_in, told, whole_number
from loop.queries import time_of_round

# What the address of the page may hold, in the order in which the page shows it.
NUMBERS = ("by", "person", "round", "run", "batch", "upto")


@require_safe
@requires(Capability.CURATE)
def index(request: HttpRequest) -> HttpResponseBase:
    """Decisions by kind, person, annotator, round, run and time."""
    given = _given(request.GET)
    found = list_decisions(_chosen(given), cursor=request.GET.get("after", ""), size=at_least(request, PAGE))
    query = urlencode({**given, "after": found.cursor})
    context: dict[str, Any] = {
        "decisions": found.rows,
        "next_url": f"{reverse('ui:ledger')}?{query}" if found.cursor else "",
    }
    if is_partial(request):
        return render(request, "frontend/ledger/rows.html", context)
    context |= {
        "given": given,
        "kinds": [kind.value for kind in Kind],
        "annotators": User.objects.filter(decisions__isnull=False).distinct().order_by("username"),
        "person": Identity.objects.filter(pk=given.get("person", 0)).first(),
        "reversal_url": _reversal_url(request, given),
    }
    return page(request, "ledger/index.html", "ledger", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Capability.CURATE)
def reversal(request: HttpRequest) -> HttpResponseBase:
    """What taking all of the chosen decisions back would change; a POST does it."""
    given = _given(request.POST if request.method == "POST" else request.GET)
    if request.method == "POST":
        with told(request):
            made = take_back(user=signed_in(request), chosen=_chosen(given))
            said = f"{len(made)} decision{'s were' if len(made) > 1 else ' was'} taken back as one step."
            messages.success(request, f"{said} Take back decision {made[0].pk}, and they hold again.")
        return redirect("ui:ledger")
    context: dict[str, Any] = {"given": given, "query": urlencode(given)}
    if not is_partial(request):
        return page(request, "ledger/reversal.html", "ledger", context)
    try:
        context["found"] = _shown(preview_reversal(user=signed_in(request), chosen=_chosen(given)))
    except LoupeError as error:
        context["problem"] = error.message
    return render(request, "frontend/ledger/reversal_preview.html", context)


def _given(query: QueryDict) -> dict[str, Any]:
    """What the address says, as far as it is sound."""
    given: dict[str, Any] = {name: whole_number(query.get(name)) for name in NUMBERS}
    given["kind"] = query.get("kind", "") if query.get("kind") in list(Kind) else ""
    given["since"] = query.get("since", "") if _moment(query.get("since", "")) else ""
    return {name: value for name, value in given.items() if value}


def _chosen(given: dict[str, Any]) -> LedgerFilter:
    since, until = time_of_round(given["round"]) if "round" in given else (None, None)
    return LedgerFilter(
        kind=given.get("kind", ""),
        actor=given.get("by"),
        identity=given.get("person"),
        since=_moment(given.get("since", "")) or since,
        until=until,
        run=given.get("run"),
        batch=given.get("batch"),
        upto=given.get("upto"),
    )


def _moment(text: str) -> datetime | None:
    """A time as forms send it, in UTC where it names no zone; None if it is none."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _reversal_url(request: HttpRequest, given: dict[str, Any]) -> str:
    """Where the chosen can be taken back together; empty where that is too much or not for this person to do."""
    narrow = {"by", "person", "run", "batch"} & given.keys()
    if not narrow or not may_take_back(signed_in(request), [given.get("by")]):
        return ""
    return f"{reverse('ui:ledger_reversal')}?{urlencode(given)}"


def _shown(found: Reversal) -> dict[str, Any]:
    """The preview with people instead of their numbers."""
    numbers = {who for change in found.examples for who in (change.before, change.after) if who and who > 0}
    people = Identity.objects.in_bulk(numbers)

    def name(who: int | None) -> str:
        return "nobody" if who is None else str(people.get(who, "somebody new"))

    faces = [{"face": one.face, "before": name(one.before), "after": name(one.after)} for one in found.examples]
    return {**vars(found), "examples": faces}
