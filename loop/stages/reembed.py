"""The promoted model's space, built beside the live one and swapped at once."""

from __future__ import annotations

from typing import Any

from annotation.models import EmbeddingSpace, Face
from annotation.services import spaces
from jobs import services as jobs
from jobs.models import Job
from loop.models import Round
from loop.stages.base import Stage


class ReembedStage(Stage):
    title = "Re-embed and swap"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        if not round.promoted or round.challenger is None:
            return None
        space = spaces.create_space(release=round.challenger)
        return jobs.enqueue(kind="embed", params={"space": space.pk}, key=key, parent=parent, user=round.created_by)

    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        if job is None or round.challenger is None:
            return {"skipped": "nothing was promoted"}
        space = EmbeddingSpace.objects.get(release=round.challenger)
        # The space and the champion alias move in one transaction; packs that came meanwhile make it refuse, and the
        # unit tries again.
        spaces.go_live(space=space)
        round.champion = round.challenger
        round.save(update_fields=["champion"])
        faces = Face.objects.count()
        seconds = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else 0.0
        return {"space": space.pk, "faces": faces, "faces_per_second": faces / seconds if seconds else None}
