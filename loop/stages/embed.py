"""Every pack has its vectors in the live space."""

from __future__ import annotations

from typing import Any

from annotation.models import EmbeddingSpace, PackVectors
from jobs import services as jobs
from jobs.models import Job
from loop.models import Round
from loop.stages.base import Stage


class EmbedStage(Stage):
    title = "Embed new faces"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        live = EmbeddingSpace.objects.get(state=EmbeddingSpace.State.LIVE)
        return jobs.enqueue(kind="embed", params={"space": live.pk}, key=key, parent=parent, user=round.created_by)

    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        live = EmbeddingSpace.objects.get(state=EmbeddingSpace.State.LIVE)
        return {"space": live.pk, "release": str(live.release), "packs": PackVectors.objects.filter(space=live).count()}
