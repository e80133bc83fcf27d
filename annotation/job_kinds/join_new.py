"""New faces join the current clusters, as a job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from annotation.services.arrivals import join_new_faces
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit


class JoinNewFaces(JobKind):
    """Faces that came since the current clustering join it."""

    name = "join_new"
    title = "Join new faces to the clusters"
    unit_noun = "clustering"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key="join")]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        join_new_faces(progress=run.progress, finish=lambda report: run.done(units[0], report))

    def finish(self, job: Job) -> dict[str, Any]:
        unit = job.units.first()
        return dict(unit.result or {}) if unit else {}
