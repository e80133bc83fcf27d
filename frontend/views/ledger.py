"""The ledger: every decision, latest first, each of which can be taken back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.ledger.entries import Kind
from annotation.queries.ledger_pages import LedgerFilter, list_decisions
from frontend.pages import is_partial, page, signed_in, whole_number


@require_safe
@requires(Capability.REVIEW)
def index(request: HttpRequest) -> HttpResponseBase:
    """Decisions by kind and by person who made them."""
    mine = request.GET.get("mine") == "1"
    kind = request.GET.get("kind", "")
    identity = whole_number(request.GET.get("person"))
    chosen = LedgerFilter(kind=kind, actor=signed_in(request).pk if mine else None, identity=identity)
    found = list_decisions(chosen, cursor=request.GET.get("after", ""))
    query = {"kind": kind, "mine": "1" if mine else "", "person": identity or "", "after": found.cursor}
    context: dict[str, Any] = {
        "decisions": found.rows,
        "next_url": f"{reverse('ui:ledger')}?{urlencode(query)}" if found.cursor else "",
    }
    if is_partial(request):
        return render(request, "frontend/ledger/rows.html", context)
    context |= {"kinds": [kind.value for kind in Kind], "kind": kind, "mine": mine, "identity": identity}
    return page(request, "ledger/index.html", "ledger", context)
