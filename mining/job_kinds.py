"""A mining run as a job: one unit per strategy, all over one reading of the pool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from annotation.queries.clusters import require_current_run
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit
from mining.other_model import NEEDED_BY
from mining.queries import load_pool
from mining.services.error_models import refresh_error_models
from mining.services.outdated import close_questions_of_other_runs
from mining.services.runs import mine, store_batch
from mining.strategies import USUAL


class Mine(JobKind):
    """Params: `strategies` (null: the usual ones), `budget` (per strategy), `overlap`, `gold`, `seed`, `diversity` and
    `options` ({strategy: {option: value}}).
    """

    name = "mine"
    title = "Mine questions"
    unit_noun = "strategy"
    batch_size = 16

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key=name) for name in job.params.get("strategies") or USUAL]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        clustering = require_current_run()
        close_questions_of_other_runs(clustering, [unit.key for unit in units])
        two_models = not NEEDED_BY.isdisjoint(unit.key for unit in units)
        pool = load_pool(clustering, other_model=two_models, progress=run.progress)
        budget, diversity = int(job.params.get("budget", 100)), float(job.params.get("diversity", 0.0))
        options = job.params.get("options") or {}
        for unit in units:
            mined = mine(
                name=unit.key,
                job=job,
                pool=pool,
                budget=budget,
                diversity=diversity,
                options=options.get(unit.key),
                progress=run.progress,
            )
            with transaction.atomic():
                batch = store_batch(name=unit.key, mined=mined, pool=pool, run=clustering, job=job)
                run.done(unit, {"batch": batch.pk, "questions": len(mined.questions)})

    def finish(self, job: Job) -> dict[str, Any]:
        return {"questions": {unit.key: (unit.result or {}).get("questions", 0) for unit in job.units.all()}}


class RefreshErrorModels(JobKind):
    """How each annotator errs, learned anew from all votes. No params."""

    name = "error_models"
    title = "Learn how annotators err"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key="all")]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        for unit in units:
            run.done(unit, {"models": refresh_error_models()})
