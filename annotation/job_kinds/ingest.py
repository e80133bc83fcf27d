"""Ingest as a job: one unit per file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from annotation.models import Collection, EmbeddingSpace
from annotation.queries.cluster_pages import current_run
from annotation.services import spaces
from annotation.services.collections import ensure_collection
from annotation.services.duplicates import refresh_duplicate_groups
from annotation.services.ingest import Item, ingest_batch
from annotation.services.ingest_rows import link_copies
from annotation.services.ingest_sources import default_album, list_entries, open_source
from annotation.services.uploads import forget_uploads
from foundation.errors import Conflict
from jobs import services as jobs
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit, UnitState
from models_zoo.models import ModelRelease
from models_zoo.queries import champion
from models_zoo.services import register_defaults


class Ingest(JobKind):
    """Photos from a folder, a zip or uploads.

    params: one of `folder` (with `paths`, relative, to take only those), `zip`, `batch`; `collection` takes all photos,
    else each top folder becomes an album; `sources` maps the path of a degraded copy to that of its source.
    """

    name = "ingest"
    title = "Ingest photos"
    unit_noun = "photo"
    batch_size = 64

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        register_defaults()
        spaces.ensure_live()
        for entry in list_entries(job.params):
            yield UnitSpec(key=entry.path, params={"at": entry.locator})

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        outcomes = ingest_batch(
            source=open_source(job.params),
            items=[Item(unit.key, unit.params["at"]) for unit in units],
            collection_of=_Albums(job).of,
            detector=champion(ModelRelease.Kind.DETECTOR),
            progress=run.progress,
        )
        for unit in units:
            if unit.key in outcomes.refusals:
                run.fail(unit, outcomes.refusals[unit.key])
            elif unit.key in outcomes.notes:
                run.done(unit, {"notes": outcomes.notes[unit.key]})

    def finish(self, job: Job) -> dict[str, Any]:
        if job.params.get("sources") and "collection" in job.params:
            link_copies(collection=job.params["collection"], sources=job.params["sources"])
        refresh_duplicate_groups()
        failed = job.units.filter(state=UnitState.FAILED)
        if "batch" in job.params:
            keep = {int(params["at"].partition("/")[0]) for params in failed.values_list("params", flat=True)}
            forget_uploads(batch=job.params["batch"], keep=keep)
        result: dict[str, Any] = {"files": job.units.count(), "failed": failed.count()}
        live = EmbeddingSpace.objects.get(state=EmbeddingSpace.State.LIVE)
        if spaces.missing_packs(live).exists():
            embed = jobs.enqueue(kind="embed", params={"space": live.pk}, user=job.created_by, parent=job)
            result["embed"] = embed.pk
            run = current_run()
            if run is not None and run.space_id == live.pk:
                result["then_joins_run"] = run.pk
        return result


class _Albums:
    """Which collection a path belongs to."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._fixed = job.params.get("collection")
        self._rest: int | None = None
        self._known: dict[str, int] = {}

    def of(self, path: str) -> int:
        if self._fixed is not None:
            return int(self._fixed)
        top, slash, _ = path.partition("/")
        name = top if slash else self._name_of_rest()
        if name not in self._known:
            self._known[name] = _album(name, self._job)
        return self._known[name]

    def _name_of_rest(self) -> str:
        return self._job.params.get("name") or default_album(self._job.params)


def _album(name: str, job: Job) -> int:
    pool = Collection.Split.NONE
    try:
        return ensure_collection(name=name, held_out=pool, user=job.created_by).pk
    except Conflict:
        # A folder that happens to be named like a held-out collection must not fill it.
        return ensure_collection(name=f"{name[:180]} (pool)", held_out=pool, user=job.created_by).pk
