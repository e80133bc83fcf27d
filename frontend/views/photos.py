"""Photos: the list with states, one photo with its faces."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.models import Identity, Photo
from annotation.queries.photo_pages import (
    PhotoFilter,
    count_by_state,
    find_photo_page,
    list_collections,
    list_photos,
    near_duplicates,
)
from frontend.overlay import Overlay
from frontend.pages import is_partial, page, whole_number

TABS = [
    ("", "All"),
    (Photo.State.READY.value, "With faces"),
    (Photo.State.NO_FACES.value, "Without faces"),
    (Photo.State.STORED.value, "Waiting"),
    (Photo.State.FAILED.value, "Failed"),
]

MOST_PEOPLE = 4  # that a photo can be asked for at once


@require_safe
@requires(Capability.CURATE)
def index(request: HttpRequest) -> HttpResponseBase:
    """A grid of photos, filtered by state, collection and people who are on them."""
    collection = whole_number(request.GET.get("collection"))
    named = [number for text in request.GET.getlist("person")[:MOST_PEOPLE] if (number := whole_number(text))]
    chosen = PhotoFilter(state=request.GET.get("state", ""), collection=collection, people=tuple(named))
    found = list_photos(chosen, cursor=request.GET.get("after", ""))
    query = {"state": chosen.state, "collection": collection or "", "person": named, "after": found.cursor}
    context: dict[str, Any] = {
        "photos": found.rows,
        "next_url": f"{reverse('ui:photos')}?{urlencode(query, doseq=True)}" if found.cursor else "",
    }
    if is_partial(request):
        return render(request, "frontend/photos/grid.html", context)
    counts = count_by_state(collection=collection, people=chosen.people)
    context |= {
        "chosen": chosen,
        "people": Identity.objects.filter(pk__in=named),
        "collections": list_collections(),
        "tabs": [(state, label, counts.get(state, 0)) for state, label in TABS],
        "total": counts[""],
    }
    return page(request, "photos/index.html", "photos", context)


@require_safe
@requires(Capability.CURATE)
def show(request: HttpRequest, photo_id: int) -> HttpResponse:
    """One photo: its picture with boxes, its faces and who they are, where it was seen."""
    photo = find_photo_page(photo_id)
    if photo is None:
        raise Http404
    context: dict[str, Any] = {
        "photo": photo,
        "overlay": Overlay.of(photo),
        "faces": photo.faces.all(),
        "sightings": photo.sightings.all(),
        "duplicates": near_duplicates(photo),
    }
    return page(request, "photos/show.html", "photos", context)
