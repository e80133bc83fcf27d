"""Promoting by hand as a job: embed what is missing, swap, cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jobs.kinds import JobKind, UnitRun, UnitSpec, WaitFor
from jobs.models import Job, Unit
from loop import promotion


class Promote(JobKind):
    """params: `space` and, for people, `release`."""

    name = promotion.KIND
    title = "Promote a model"
    unit_noun = "step"
    sequential = True

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key="embed and swap"), UnitSpec(key="cluster")]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        for unit in units:
            if unit.key == "cluster":
                run.done(unit, {"job": promotion.cluster_anew(job=job)})
                continue
            child = promotion.embed_missing(job=job)
            if child is not None:
                raise WaitFor(child.pk)
            run.done(unit, {"champion": promotion.swap(job=job)})

    def finish(self, job: Job) -> dict[str, Any]:
        return {"champion": job.params["release"]}
