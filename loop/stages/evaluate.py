"""Challenger beside champion on people kept out for choosing, or, until there are any, on faces without labels."""

from __future__ import annotations

from typing import Any

from annotation.exporters.splits import TRAIN, VAL_BLACKBOX
from jobs import services as jobs
from jobs.models import Job
from loop.models import Round
from loop.stages.base import Stage, unit_result
from models_zoo.models import ModelRelease
from models_zoo.queries import champion


class EvaluateStage(Stage):
    title = "Compare with the champion"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        if round.dataset is None or round.challenger is None:
            return None
        releases = [champion(ModelRelease.Kind.EMBEDDER).pk, round.challenger.pk]
        kept_out = bool(round.dataset.counts.get(VAL_BLACKBOX, {}).get("faces"))
        params = {
            "dataset": round.dataset.pk,
            "split": VAL_BLACKBOX if kept_out else TRAIN,
            "label_free": not kept_out,
            "releases": releases,
        }
        return jobs.enqueue(kind="evaluate", params=params, key=key, parent=parent, user=round.created_by)

    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        return unit_result(job) if job is not None else {"skipped": "no challenger"}
