"""Clustering of a space as a job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from annotation.models import EmbeddingSpace
from annotation.services.arrival_jobs import request_joining
from annotation.services.clustering_runs import run_clustering
from foundation.errors import NotFound
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit


class ClusterFaces(JobKind):
    """One clustering of one space. Params: `space`, `settings` and `preview` as `run_clustering` takes them."""

    name = "cluster"
    title = "Cluster and label faces"
    unit_noun = "clustering"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key="cluster")]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        space = EmbeddingSpace.objects.select_related("release").filter(pk=job.params["space"]).first()
        if space is None:
            raise NotFound(f"There is no space {job.params['space']}.", code="no_space")
        run_clustering(
            space=space,
            job=job,
            settings=job.params.get("settings"),
            preview=bool(job.params.get("preview")),
            progress=run.progress,
            finish=lambda metrics: run.done(units[0], metrics),
        )

    def finish(self, job: Job) -> dict[str, Any]:
        # Faces that it could not know of, as they came later.
        if not job.params.get("preview"):
            request_joining(user=job.created_by, parent=job)
        unit = job.units.first()
        return dict(unit.result or {}) if unit else {}
