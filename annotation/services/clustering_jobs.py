"""Asking for a new clustering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import User
from annotation.models import ClusterRun, EmbeddingSpace
from annotation.queries.cluster_run_pages import require_run
from annotation.services.clustering_choices import check_applicable
from annotation.services.clustering_settings import checked_settings
from foundation.errors import Conflict, InvalidInput
from jobs.models import UNFINISHED, Job
from jobs.services import enqueue

KIND = "cluster"
APPLY = "apply_clustering"


def start_clustering(
    *, user: User | None = None, preview: bool = False, settings: Mapping[str, Any] | None = None
) -> Job:
    """Cluster the live space anew; asked twice while one waits or runs, it is the same job.

    Args:
        preview: the run is kept beside the current one, until somebody applies or drops it.
        settings: of a preview, in place of the calibration, see `checked_settings`.

    Raises:
        InvalidInput: as `checked_settings`; `preview_only` for settings without a preview, since what they do should
            be seen before labels follow.
        Conflict: `nothing_ingested` before the first photo was; `preview_running` while a preview with other settings
            is being made.
    """
    chosen = checked_settings(settings or {})
    if chosen and not preview:
        raise InvalidInput("Settings can only be chosen for a preview, which can then be applied.", code="preview_only")
    live = EmbeddingSpace.objects.filter(state=EmbeddingSpace.State.LIVE).first()
    if live is None:
        raise Conflict("There are no faces yet: import photos first.", code="nothing_ingested")
    if not preview:
        return enqueue(kind=KIND, params={"space": live.pk}, user=user, key=f"{KIND}:{live.pk}")
    params = {"space": live.pk, "preview": True, **({"settings": chosen} if chosen else {})}
    job = enqueue(kind=KIND, params=params, user=user, key=f"{KIND}:{live.pk}:preview")
    if job.params != params:
        raise Conflict(
            f"A preview with other settings is being made: job {job.pk}. Wait for it, or cancel it first.",
            code="preview_running",
        )
    return job


def start_applying(*, run_id: int, user: User | None = None) -> Job | None:
    """Make a run the current one, see `apply_run`; None where it is already. Asked twice, it is the same job.

    Raises NotFound, or Conflict as `check_applicable`.
    """
    run = require_run(run_id)
    if run.current:
        return None
    check_applicable(run)
    return enqueue(kind=APPLY, params={"run": run.pk}, user=user, key=f"{APPLY}:{run.pk}")


def applying(run: ClusterRun) -> Job | None:
    """The job that is about to make this run the current one."""
    return Job.objects.filter(key=f"{APPLY}:{run.pk}", state__in=UNFINISHED).first()
