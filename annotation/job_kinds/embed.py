"""Embedding as a job: one unit per pack that has no vectors in the space yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from annotation.models import CropPack, EmbeddingSpace
from annotation.services import spaces
from annotation.services.arrival_jobs import request_joining
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit


class Embed(JobKind):
    """params: `space`, an id."""

    name = "embed"
    title = "Embed faces"
    unit_noun = "pack"
    batch_size = 8

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        space = EmbeddingSpace.objects.get(pk=job.params["space"])
        for pack, faces in spaces.missing_packs(space).values_list("pk", "faces_count"):
            yield UnitSpec(key=str(pack), weight=max(1, faces))

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        space = EmbeddingSpace.objects.select_related("release").get(pk=job.params["space"])
        packs = CropPack.objects.in_bulk([int(unit.key) for unit in units])
        spaces.embed_packs(space=space, packs=[packs[key] for key in sorted(packs)])

    def finish(self, job: Job) -> dict[str, Any]:
        space = EmbeddingSpace.objects.get(pk=job.params["space"])
        ready = spaces.complete(space=space)
        result = {"space": space.pk, "packs": job.units_done, "faces": job.weight_done, "complete": ready}
        if job.parent is None or job.parent.kind == "ingest":  # a round clusters anew anyway
            join = request_joining(user=job.created_by, parent=job.parent)
            if join is not None:
                result["join"] = join.pk
        return result
