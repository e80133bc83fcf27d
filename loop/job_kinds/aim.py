"""Aiming as a job: find the worst quality slice, propose the recipe that resembles it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from annotation.exporters.splits import TRAIN
from annotation.models import DatasetVersion
from annotation.services.engines import embedder_of
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit
from loop.aims import AIM
from models_zoo.models import ModelRelease
from models_zoo.queries import champion


class Aim(JobKind):
    """Params: `dataset` (id), `split`, `slice` (a name; empty for the worst), `seed`.

    The result holds the recipe as YAML and as plain values, the slice with its limit, and every measure's match. Nobody
    sees an image of the split: only its measures are used.
    """

    name = AIM
    title = "Aim a recipe"
    unit_noun = "proposal"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key="aim", params={"release": champion(ModelRelease.Kind.EMBEDDER).pk})]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        for unit in units:
            run.done(unit, self._aim(job, ModelRelease.objects.get(pk=unit.params["release"]), run))

    def _aim(self, job: Job, release: ModelRelease, run: UnitRun) -> dict[str, Any]:
        # Here, because it takes seconds to import, and the web process loads this file to enqueue.
        from loop import aiming

        version, split = DatasetVersion.objects.get(pk=job.params["dataset"]), job.params["split"]
        with aiming.materialised(version, split, "evaluation", job.created_by) as folder:
            faces = aiming.read_measured(folder, split)
        at, rates = aiming.choose_slice(faces, job.params["slice"], embedder_of(release))
        with aiming.materialised(version, TRAIN, "training", job.created_by) as folder:
            clean = aiming.read_measured(folder, TRAIN, most=aiming.MOST_CLEAN, best=True)
        proposal = aiming.aim(faces, clean, at, seed=job.params["seed"], progress=run.progress)
        facts = {"slice": aiming.limits_of(at), "title": str(at), "rates": rates, "model": str(release)}
        return facts | {"dataset": str(version), "split": split} | proposal.as_dict()

    def finish(self, job: Job) -> dict[str, Any]:
        return job.units.get(key="aim").result or {}
