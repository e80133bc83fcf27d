"""Clusters of the current run: the list, and the grid in which people decide."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.queries.cluster_pages import (
    ClusterFilter,
    GridFace,
    count_clusters,
    count_new_faces,
    current_run,
    find_cluster,
    list_clusters,
    list_grid_faces,
    neighbours,
)
from annotation.queries.keyset import Slice
from annotation.services.clustering_jobs import start_clustering
from frontend.pages import GRID_KEYS, Key, is_partial, page, signed_in, told

FIRST, NUMBERS = 200, 1000  # of faces in the page, and in one answer: whole sheets of crops

KEYS = [
    Key("", "Confirm: all faces that are left are this person, then on to the next cluster", "confirm"),
    Key("", "Name the person", "name"),
    *GRID_KEYS,
    Key("", "Next cluster", "next"),
    Key("", "Previous cluster", "previous"),
]


@require_safe
@requires(Capability.CURATE)
def index(request: HttpRequest) -> HttpResponseBase:
    """All clusters of the current run, by size or by doubt."""
    run = current_run()
    if run is None:
        return page(request, "clusters/index.html", "clusters", {"run": None, "new_faces": count_new_faces(None)})
    chosen = ClusterFilter(named=request.GET.get("named", ""), order=request.GET.get("sort", "size"))
    found = list_clusters(run, chosen, cursor=request.GET.get("after", ""))
    query = {"named": chosen.named, "sort": chosen.order, "after": found.cursor}
    context: dict[str, Any] = {
        "clusters": found.rows,
        "next_url": f"{reverse('ui:clusters')}?{urlencode(query)}" if found.cursor else "",
    }
    if is_partial(request):
        return render(request, "frontend/clusters/grid.html", context)
    counts = count_clusters(run)
    tabs = [("", "All"), ("no", "Without a name"), ("yes", "Named")]
    context |= {
        "run": run,
        "chosen": chosen,
        "tabs": [(value, label, counts[value]) for value, label in tabs],
        "total": counts[""],
        "new_faces": count_new_faces(run),
    }
    return page(request, "clusters/index.html", "clusters", context)


@require_POST
@requires(Capability.ROUNDS)
def start(request: HttpRequest) -> HttpResponseBase:
    """Cluster anew. Every decision is obeyed, so nothing that people said is lost."""
    with told(request):
        job = start_clustering(user=signed_in(request))
        messages.success(request, "Faces are being clustered.")
        return redirect("ui:job", job.pk)
    return redirect("ui:clusters")


@require_safe
@requires(Capability.CURATE)
def show(request: HttpRequest, cluster_id: int) -> HttpResponseBase:
    """One cluster's faces, weakest first."""
    cluster = find_cluster(cluster_id)
    if cluster is None:
        raise Http404
    before, after = neighbours(cluster)
    identity = cluster.identity
    context = {
        "cluster": cluster,
        "first_faces": json.dumps(_numbers(list_grid_faces(cluster, size=FIRST))),
        "before": before,
        "after": after,
        "person": identity.merged_into or identity if identity else None,
        "widest_similarity": 1.0 - cluster.diameter,
    }
    return page(request, "clusters/show.html", "clusters", context, keys=KEYS)


@require_safe
@requires(Capability.CURATE)
def faces(request: HttpRequest, cluster_id: int) -> JsonResponse:
    """Numbers of the cluster's faces, weakest first, for grids that make tiles only of what is seen."""
    cluster = find_cluster(cluster_id)
    if cluster is None:
        raise Http404
    return JsonResponse(_numbers(list_grid_faces(cluster, cursor=request.GET.get("after", ""), size=NUMBERS)))


def _numbers(found: Slice[GridFace]) -> dict[str, Any]:
    rows = [
        {"face": one.face, "similarity": round(one.similarity, 4), "state": one.state, "note": one.note}
        for one in found.rows
    ]
    return {"faces": rows, "next": found.cursor}
