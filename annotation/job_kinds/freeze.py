"""Freezing a dataset version as a job of one unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from annotation.models import DatasetVersion
from annotation.services.datasets import build_version
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit


class Freeze(JobKind):
    """params: `name`; `min_faces` and `proportions` as in `annotation.services.datasets.freeze`.

    The unit's result names the version, which is an older one if nothing has changed since.
    """

    name = "freeze"
    title = "Freeze a dataset version"
    unit_noun = "version"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key="freeze")]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        for unit in units:
            version = build_version(job=job, progress=run.progress)
            run.done(unit, _result(version, job))

    def finish(self, job: Job) -> dict[str, Any]:
        return dict(job.units.get().result or {})


def _result(version: DatasetVersion, job: Job) -> dict[str, Any]:
    return {
        "version": version.pk,
        "reference": str(version),
        "digest": version.digest,
        "created": version.job_id == job.pk,
        "counts": version.counts,
    }
