"""A challenger, trained on the frozen version, starting at the published network that the champion descends from."""

from __future__ import annotations

from typing import Any

from annotation.exporters.splits import TRAIN
from jobs import services as jobs
from jobs.models import Job
from loop.models import Round
from loop.stages.base import Stage, unit_result
from models_zoo.models import ModelRelease


class TrainStage(Stage):
    title = "Train a challenger"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        if round.dataset is None or not round.dataset.counts.get(TRAIN, {}).get("faces"):
            return None
        params = {"dataset": round.dataset.pk, "config": round.parameters.get("train", {})}
        return jobs.enqueue(kind="train", params=params, key=key, parent=parent, user=round.created_by)

    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        if job is None:
            return {"skipped": "nothing to train on"}
        result = unit_result(job)
        round.challenger = ModelRelease.objects.get(pk=result["release"])
        round.save(update_fields=["challenger"])
        return result
