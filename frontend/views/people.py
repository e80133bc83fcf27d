"""People: the grid, one person, and completion of names."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.models import Identity
from annotation.queries.ledger_pages import LedgerFilter, list_decisions
from annotation.queries.people_pages import (
    FACES_PAGE,
    PeopleFilter,
    complete_name,
    count_labels_of,
    count_people,
    find_person,
    list_faces_of,
    list_people,
)
from annotation.queries.person_story import (
    SHOWN,
    checked_of,
    company_of,
    merged_into,
    photos_by_year,
    photos_of,
)
from frontend.charts.bars import Bar, bar_chart
from frontend.ledger_filters import titles_of_batches
from frontend.pages import GRID_KEYS, Key, at_least, is_partial, page, whole_number

KEYS = [
    Key("", "Confirm the selected faces, or all that are shown", "confirm"),
    Key("", "Rename", "name"),
    *GRID_KEYS,
]
HISTORY = 20


@require_safe
@requires(Capability.CURATE)
def index(request: HttpRequest) -> HttpResponseBase:
    """A grid of covers."""
    chosen = PeopleFilter(
        text=request.GET.get("q", "")[:200], named=request.GET.get("named", ""), order=request.GET.get("sort", "faces")
    )
    found = list_people(chosen, cursor=request.GET.get("after", ""))
    query = {"q": chosen.text, "named": chosen.named, "sort": chosen.order, "after": found.cursor}
    context: dict[str, Any] = {
        "people": found.rows,
        "next_url": f"{reverse('ui:people')}?{urlencode(query)}" if found.cursor else "",
    }
    if is_partial(request):
        return render(request, "frontend/people/grid.html", context)
    context |= {"chosen": chosen, "total": count_people(chosen), "filtered": bool(chosen.text or chosen.named)}
    return page(request, "people/index.html", "people", context)


@require_safe
@requires(Capability.CURATE)
def show(request: HttpRequest, identity_id: int) -> HttpResponseBase:
    """One person: faces, farthest first, and what was decided about them."""
    person = find_person(identity_id)
    if person is None:
        raise Http404
    if person.merged_into is not None:
        return redirect("ui:person", person.merged_into.pk)
    found = list_faces_of(person, cursor=request.GET.get("after", ""), size=at_least(request, FACES_PAGE))
    query = urlencode({"after": found.cursor})
    context: dict[str, Any] = {
        "person": person,
        "labels": found.rows,
        "next_url": f"{reverse('ui:person', args=[person.pk])}?{query}" if found.cursor else "",
    }
    if is_partial(request):
        return render(request, "frontend/people/faces.html", context)
    years = photos_by_year(person)
    decisions = list_decisions(LedgerFilter(identity=person.pk), size=HISTORY).rows
    context |= {
        "sources": count_labels_of(person),
        "checked": checked_of(person),
        "photos_count": sum(years.values()),
        "years": bar_chart([Bar(str(year or "no date"), n) for year, n in years.items()], title="Photos by year"),
        "photos": photos_of([person.pk])[:SHOWN],
        "company": company_of(person),
        "merged": merged_into(person),
        "decisions": decisions,
        "titles": titles_of_batches(decisions),
    }
    return page(request, "people/show.html", "people", context, keys=KEYS)


@require_safe
@requires(Capability.REVIEW)
def complete(request: HttpRequest) -> HttpResponseBase:
    """People whose name fits `q`, for completion; without `except`."""
    found = complete_name(request.GET.get("q", "")[:200], without=whole_number(request.GET.get("except")))
    return JsonResponse({"people": [_offered(person) for person in found]})


def _offered(person: Identity) -> dict[str, object]:
    return {
        "id": person.pk,
        "name": str(person),
        "faces": person.faces_count,
        "revision": person.revision,
        "cover": reverse("ui:crop", args=[person.cover_id]) if person.cover_id else "",
    }
