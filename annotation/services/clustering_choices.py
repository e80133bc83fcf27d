"""Which clustering labels follow from: a preview is applied or dropped, an earlier run applied again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from annotation.models import ClusterMember, ClusterRun, EmbeddingSpace, Label
from annotation.queries.cluster_run_pages import require_run
from annotation.services.clustering_runs import drop_previews
from annotation.services.current_run import make_current
from annotation.services.labels import refresh_labels
from annotation.services.ledger_locks import after_open_decisions, one_labelling_at_a_time
from foundation.errors import Conflict

State = ClusterRun.State


def apply_run(*, run_id: int, finish: Callable[[dict[str, Any]], None] = lambda metrics: None) -> ClusterRun:
    """Make this run the current one and labels follow from it, as one step; twice is once.

    A run that was current before gives its clusters the persons that they had then, so that applying the run that was
    current until now takes the step back. Every decision holds, also those that came after the run. Faces that the run
    does not know lose the label that another clustering gave them.

    Args:
        finish: called with the run's metrics in the same transaction.

    Raises:
        NotFound: `no_run`.
        Conflict: as `check_applicable`.
    """
    require_run(run_id)
    after_open_decisions()
    with transaction.atomic():
        one_labelling_at_a_time()
        run = ClusterRun.objects.select_related("space").get(pk=run_id)
        if not run.current:
            check_applicable(run)
            _forget_labels_of_unknown_faces(run)
            run.metrics = {**run.metrics, "labels": refresh_labels(run=run).as_dict()}
            make_current(run)
        finish(run.metrics)
    return run


def check_applicable(run: ClusterRun) -> None:
    """Raises Conflict: `run_not_done`, `run_dropped`, `run_forgotten` if its clusters are not kept any more, or
    `space_not_live` if another model's vectors are in use now."""
    if run.state == State.DROPPED:
        raise Conflict(f"Run {run.pk} was dropped.", code="run_dropped")
    if run.state not in (State.PREVIEW, State.DONE):
        raise Conflict(f"Run {run.pk} has not come to its end.", code="run_not_done")
    if run.space.state != EmbeddingSpace.State.LIVE:
        raise Conflict(f"Run {run.pk} is of a model that is not in use any more.", code="space_not_live")
    if run.metrics.get("faces", 1) and not run.members.exists():
        raise Conflict(f"The clusters of run {run.pk} are not kept any more.", code="run_forgotten")


def drop_run(*, run_id: int) -> ClusterRun:
    """Give a preview up; its clusters go. Twice is once.

    Raises:
        NotFound: `no_run`.
        Conflict: `not_a_preview`.
    """
    require_run(run_id)
    with transaction.atomic():
        drop_previews(ClusterRun.objects.filter(pk=run_id))
        run = require_run(run_id)
        if run.state != State.DROPPED:
            raise Conflict(f"Run {run_id} is no preview; only previews can be dropped.", code="not_a_preview")
    return run


def _forget_labels_of_unknown_faces(run: ClusterRun) -> None:
    known = ClusterMember.objects.filter(run=run, face=OuterRef("face"))
    Label.objects.filter(~Exists(known), source=Label.Source.AUTO)._raw_delete(using="default")
