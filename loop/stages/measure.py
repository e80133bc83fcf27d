"""The final number: the champion before and after the round on the locked test people, and how much is labelled."""

from __future__ import annotations

from typing import Any

from annotation.exporters.splits import TEST
from annotation.queries.overview import overview
from jobs import services as jobs
from jobs.models import Job
from loop.models import Round
from loop.stages.base import Stage, unit_result
from models_zoo.models import ModelRelease
from models_zoo.queries import champion


class MeasureStage(Stage):
    title = "Measure on the test people"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        if round.dataset is None or not round.dataset.counts.get(TEST, {}).get("faces"):
            return None
        after = champion(ModelRelease.Kind.EMBEDDER)
        before = round.stages["evaluate"]["result"]["models"][0]["release"] if round.promoted else after.pk
        params = {"dataset": round.dataset.pk, "split": TEST, "releases": [before, after.pk]}
        return jobs.enqueue(kind="evaluate", params=params, key=key, parent=parent, user=round.created_by)

    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        round.champion = champion(ModelRelease.Kind.EMBEDDER)
        round.save(update_fields=["champion"])
        seen = overview()
        pool = {
            "pool": {"labelled": seen.labelled / seen.pool_faces if seen.pool_faces else None, "people": seen.people}
        }
        if job is None:
            return {"skipped": "nobody is held out for testing", **pool}
        result = unit_result(job)
        if not result["models"]:
            return {"skipped": result["basis"], **pool}
        return {"basis": result["basis"], "before": result["models"][0], "after": result["models"][-1], **pool}
