"""Does synthetic data pay? The same training without and with it, then both on the slice that it was aimed at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from annotation.models import DatasetVersion
from annotation.services.engines import embedder_of
from foundation.errors import InvalidInput, LoupeError
from jobs import services as jobs
from jobs.kinds import JobKind, UnitRun, UnitSpec, WaitFor
from jobs.models import Job, JobState, Unit
from loop.aims import TRIAL, better_of
from models_zoo.models import ModelRelease
from models_zoo.queries import champion, origin

REAL, MIXED, COMPARE = "real only", "real and synthetic", "compare"


class TrainingFailed(LoupeError):
    """One of the two trainings did not end well; mend or retry that job, then this one."""

    code = "training_failed"


class SyntheticTrial(JobKind):
    """Params: `dataset` (id), `extras` (ids of versions with train_extra), `split`, `slice`, `limits` (a slice with its
    limit, or null), `config` (overrides of TrainConfig, for both).
    """

    name = TRIAL
    title = "Compare real with synthetic data"
    unit_noun = "step"
    sequential = True

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        start = origin(champion(ModelRelease.Kind.EMBEDDER)).pk
        return [UnitSpec(key=key, params={"start": start}) for key in (REAL, MIXED, COMPARE)]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        for unit in units:
            if unit.key == COMPARE:
                run.done(unit, self._compare(job, ModelRelease.objects.get(pk=unit.params["start"])))
            else:
                run.done(unit, self._trained(job, unit))

    def _trained(self, job: Job, unit: Unit) -> dict[str, Any]:
        params = {"dataset": job.params["dataset"], "config": job.params["config"], "start": unit.params["start"]}
        if unit.key == MIXED:
            params["extras"] = job.params["extras"]
        child = job.children.filter(kind="train", params=params).order_by("-pk").first()
        if child is None:
            child = jobs.enqueue(
                kind="train", params=params, key=f"trial:{job.pk}:{unit.key}", parent=job, user=job.created_by
            )
        if child.unfinished:
            raise WaitFor(child.pk)
        if child.state != JobState.FINISHED:
            raise TrainingFailed(f"Job {child.pk} ({unit.key}) has not trained a model.")
        return {"release": _result(child, "train")["release"]}

    def _compare(self, job: Job, start: ModelRelease) -> dict[str, Any]:
        # Here, because it takes seconds to import, and the web process loads this file to enqueue.
        from loop import aiming

        version, split = DatasetVersion.objects.get(pk=job.params["dataset"]), job.params["split"]
        with aiming.materialised(version, split, "evaluation", job.created_by) as folder:
            faces = aiming.read_measured(folder, split)
        at = aiming.slice_of(job.params["limits"]) if job.params["limits"] else None
        if at is None:
            with suppress(InvalidInput):  # too few pairs to tell a worst slice; what can be told is told overall
                at, _ = aiming.choose_slice(faces, job.params["slice"], embedder_of(start))
        releases = [ModelRelease.objects.get(pk=_result(job, key)["release"]) for key in (REAL, MIXED)]
        found = aiming.report(faces, at, *(embedder_of(one) for one in releases))
        found |= {"real_only": str(releases[0]), "with_synthetic": str(releases[1]), "split": split}
        return found | {"better": better_of(found), "dataset": str(version)}

    def finish(self, job: Job) -> dict[str, Any]:
        return _result(job, COMPARE)


def _result(job: Job, key: str) -> dict[str, Any]:
    return job.units.get(key=key).result or {}
