"""A round as a job: one unit per stage, strictly in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jobs.kinds import JobKind, UnitRun, UnitSpec, WaitFor
from jobs.models import Job, Unit
from loop import services
from loop.stages import STAGES


class RoundJob(JobKind):
    """Drives the stages; each one's own work is a child job, for whose end the unit waits."""

    name = "round"
    title = "Round of the loop"
    sequential = True
    unit_noun = "stage"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key=name, params={}) for name in STAGES]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        for unit in units:
            child = services.start_stage(round_id=job.params["round"], name=unit.key, parent=job)
            if child is not None:
                raise WaitFor(child.pk)
            run.done(unit, services.finish_stage(round_id=job.params["round"], name=unit.key))

    def finish(self, job: Job) -> dict[str, Any]:
        return services.finish_round(round_id=job.params["round"], job=job)
