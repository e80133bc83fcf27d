"""The labels as they are now, frozen into a dataset version."""

from __future__ import annotations

from typing import Any

from annotation.models import DatasetVersion
from annotation.services.datasets import OF_ROUNDS, freeze
from jobs.models import Job
from loop.models import Round
from loop.stages.base import Stage


class FreezeStage(Stage):
    title = "Freeze a dataset version"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        return freeze(name=OF_ROUNDS, user=round.created_by, key=key, parent=parent)

    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        if job is None:
            return {}
        result = dict(job.result or {})
        round.dataset = DatasetVersion.objects.get(pk=result["version"])
        round.save(update_fields=["dataset"])
        return result
