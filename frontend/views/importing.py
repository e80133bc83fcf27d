"""Getting photos in: a folder or zip on the server, or files dropped into the page."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import can, requires
from accounts.roles import Capability
from annotation.models import Collection
from annotation.queries.photo_pages import list_collections
from annotation.services.collections import ensure_collection
from foundation.errors import Forbidden
from frontend.pages import page, signed_in, told, whole_number
from jobs.queries import job_list, with_progress

RECENT = 8
# Whoever fills what models are chosen or judged by must be allowed to own it; REST asks for the same.
OWNERS = {Collection.Split.VAL_BLACKBOX.value: Capability.DATASETS, Collection.Split.TEST.value: Capability.LOCKED_TEST}


@require_safe
@requires(Capability.INGEST)
def show(request: HttpRequest) -> HttpResponse:
    """Collections, the drop zone, and a field for a path on the server."""
    context = {
        "collections": [one for one in list_collections() if _may_fill(request, one.held_out)],
        "priors": Collection.Prior.choices,
        "splits": [one for one in Collection.Split.choices if _may_fill(request, one[0])],
        "roots": [str(root) for root in getattr(settings, "LOUPE_INGEST_ROOTS", ())],
        "largest": settings.LOUPE_MAX_UPLOAD_BYTES,
        "recent": with_progress(job_list(kind="ingest")[:RECENT]),
        "chosen": whole_number(request.GET.get("collection")),
    }
    return page(request, "importing/show.html", "import", context)


@require_POST
@requires(Capability.INGEST)
def start_folder(request: HttpRequest) -> HttpResponseBase:
    """Ingest a folder or zip that lies on the server, below one of the allowed roots."""
    # Loads the model runtimes, which pages do without.
    from annotation.services.ingest import start_ingest

    path = request.POST.get("path", "").strip()
    number = whole_number(request.POST.get("collection"))
    collection = get_object_or_404(Collection, pk=number) if number is not None else None
    zipped = path.lower().endswith(".zip")
    with told(request):
        _check_owner(request, collection.held_out if collection else "")
        job = start_ingest(
            user=signed_in(request),
            folder=None if zipped else path,
            archive=path if zipped else None,
            collection=collection,
        )
        messages.success(request, "The import has started.")
        return redirect("ui:job", job.pk)
    return redirect("ui:import")


@require_POST
@requires(Capability.INGEST)
def create_collection(request: HttpRequest) -> HttpResponseBase:
    """Make a collection, to be chosen right away."""
    with told(request):
        _check_owner(request, request.POST.get("held_out", ""))
        made = ensure_collection(
            name=request.POST.get("name", ""),
            prior=request.POST.get("prior", ""),
            held_out=request.POST.get("held_out", ""),
            user=signed_in(request),
        )
        messages.success(request, f"The collection {made.name} is ready for photos.")
        return redirect(f"{request.path.removesuffix('collection/')}?collection={made.pk}")
    return redirect("ui:import")


def _may_fill(request: HttpRequest, split: str) -> bool:
    needed = OWNERS.get(split)
    return needed is None or can(request.user, needed)


def _check_owner(request: HttpRequest, split: str) -> None:
    if not _may_fill(request, split):
        raise Forbidden("Your role does not include changing what is held out.", code="held_out_collection")
