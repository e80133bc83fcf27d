"""Making a stored clustering the current one, as a job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from annotation.services.arrival_jobs import request_joining
from annotation.services.clustering_choices import apply_run
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit


class ApplyClustering(JobKind):
    """Labels follow from another run. Params: `run`."""

    name = "apply_clustering"
    title = "Apply a clustering"
    unit_noun = "clustering"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key="apply")]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        apply_run(run_id=job.params["run"], finish=lambda metrics: run.done(units[0], metrics))

    def finish(self, job: Job) -> dict[str, Any]:
        # Faces that it could not know of, as they came later.
        request_joining(user=job.created_by, parent=job)
        unit = job.units.first()
        return dict(unit.result or {}) if unit else {}
