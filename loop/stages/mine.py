"""What is worth a person's second after this round's clustering."""

from __future__ import annotations

from typing import Any

from jobs import services as jobs
from jobs.models import Job
from loop.models import Round
from loop.stages.base import Stage
from mining.models import ReviewBatch


class MineStage(Stage):
    title = "Mine questions for people"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        params = {"strategies": None, "budget": round.parameters.get("mining_budget", 100)}
        return jobs.enqueue(kind="mine", params=params, key=key, parent=parent, user=round.created_by)

    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        batches = ReviewBatch.objects.filter(job=job)
        return {"batches": {batch.strategy: batch.items.count() for batch in batches}}
