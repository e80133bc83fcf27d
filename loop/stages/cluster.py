"""Clusters of the live space, and the labels that follow from them and from the ledger."""

from __future__ import annotations

from typing import Any

from annotation.models import ClusterRun, EmbeddingSpace
from jobs import services as jobs
from jobs.models import Job
from loop.models import Round
from loop.stages.base import Stage


class ClusterStage(Stage):
    title = "Cluster and label"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        live = EmbeddingSpace.objects.get(state=EmbeddingSpace.State.LIVE)
        return jobs.enqueue(kind="cluster", params={"space": live.pk}, key=key, parent=parent, user=round.created_by)

    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        run = ClusterRun.objects.get(current=True)
        return {"run": run.pk, **run.metrics}


class ReclusterStage(ClusterStage):
    """The same in the space that the promotion brought; skipped where nothing was promoted."""

    title = "Cluster and label with the new vectors"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        if not round.promoted:
            return None
        return super().start(round, key=key, parent=parent)
