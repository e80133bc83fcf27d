"""Dataset versions: the list, one version, freezing another."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.models import DatasetVersion
from annotation.queries.dataset_pages import find_version, list_test_uses, list_versions
from frontend.charts import Bar, bar_chart
from frontend.pages import page, signed_in, told

SPLITS = ("train", "val_blackbox", "val_eyeball", "test", "train_extra", "val_extra")


@require_safe
@requires(Capability.VIEW)
def index(request: HttpRequest) -> HttpResponse:
    """All versions."""
    versions = list(list_versions())
    for version in versions:
        version.faces = sum(map(_rows, version.counts.values()))  # type: ignore[attr-defined]
    return page(request, "datasets/index.html", "datasets", {"versions": versions})


@require_safe
@requires(Capability.VIEW)
def show(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """One version: splits, counts, label sources, how to pull it."""
    found = find_version(name, version)
    if found is None:
        raise Http404
    facts = dict(found.parameters)
    context = {
        "version": found,
        "sources": sorted(facts.pop("label_sources", {}).items()),
        "facts": facts,
        "splits": _splits(found),
        "chart": _chart(found),
        "bytes": found.manifest_bytes + sum(shard.get("bytes", 0) for shard in found.shards),
        "uses": list_test_uses(found),
        "host": request.build_absolute_uri("/").rstrip("/"),
    }
    return page(request, "datasets/show.html", "datasets", context)


@require_POST
@requires(Capability.DATASETS)
def freeze(request: HttpRequest) -> HttpResponseBase:
    """Start freezing the labels as they stand."""
    # Loads pyarrow, which pages do without.
    from annotation.services.datasets import freeze as start_freezing

    with told(request):
        job = start_freezing(name=request.POST.get("name", ""), user=signed_in(request))
        messages.success(request, "The version is being frozen.")
        return redirect("ui:job", job.pk)
    return redirect("ui:datasets")


def _splits(version: DatasetVersion) -> list[tuple[str, int, int]]:
    """(split, faces or images, identities) in the usual order."""
    names = [*[name for name in SPLITS if name in version.counts], *sorted(set(version.counts) - set(SPLITS))]
    return [(name, _rows(version.counts[name]), _number(version.counts[name], "identities")) for name in names]


def _chart(version: DatasetVersion) -> str:
    noun = "Images" if version.extra_only else "Faces"
    return bar_chart([Bar(name, faces) for name, faces, _ in _splits(version)], title=f"{noun} by split")


def _rows(entry: object) -> int:
    """Faces, or the images of what holds none."""
    return _number(entry, "faces") or _number(entry, "images")


def _number(entry: object, key: str) -> int:
    value = entry.get(key, 0) if isinstance(entry, dict) else 0
    return value if isinstance(value, int) else 0
