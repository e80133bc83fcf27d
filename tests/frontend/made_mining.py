"""Mining runs to look at: one whose questions people answer, one that looks, one that failed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from accounts.models import User
from annotation.models import DatasetVersion
from jobs.models import Job, Unit
from mining.models import ReviewBatch
from mining.services.answers import answer_item, skip_item
from models_zoo.models import Evaluation, ModelRelease
from tests.factories import World

PICKED = {"pairs_near_threshold": 14, "blocked_merges": 6, "rare_identities": 0}


def make_mining_runs(world: World, users: dict[str, User]) -> None:
    """The three runs; some answers to the first, and a dataset version that has them."""
    done = _job(users["data_engineer"], "finished", list(PICKED))
    for name, count in PICKED.items():
        _batch(world, done, name, count)
    _answers(done, users)
    last = ModelRelease.objects.get(name="sface-ft", version=2)
    assert last.parent is not None
    version = DatasetVersion.objects.get(name="people", version=2)
    DatasetVersion.objects.filter(pk=version.pk).update(last_decision_id=10**6)
    ModelRelease.objects.filter(pk=last.pk).update(dataset_digest=version.digest)
    for release, gain in ((last.parent, 0.0), (last, 0.05)):
        slices = {"degraded_clean": 0.857 + gain, "clean_clean": 0.990}
        metrics = {name: {"tar@1e-3": one, "ci": [one - 0.02, min(1, one + 0.01)]} for name, one in slices.items()}
        Evaluation.objects.create(
            release=release,
            dataset=str(version),
            dataset_digest=version.digest,
            split="val_blackbox",
            metrics={"slices": metrics},
        )
    looking = _job(users["data_engineer"], "running", ["label_suspects", "clusters", "merges"], done=1)
    Unit.objects.create(job=looking, key="clusters", state="running", ordinal=1, started_at=timezone.now())
    failed = _job(users["data_engineer"], "failed", ["model_disagreement"], done=0)
    reason = "Only one embedding model has seen the photos, so there are no two that could disagree."
    unit = {"key": "model_disagreement", "ordinal": 0, "state": "failed", "error_code": "one_model", "error": reason}
    Unit.objects.create(job=failed, **unit)
    Job.objects.filter(pk=failed.pk).update(units_failed=1, error="All units failed.", error_code="all_failed")


def _job(user: User, state: str, strategies: list[str], done: int | None = None) -> Job:
    now, total = timezone.now(), len(strategies)
    done = total if done is None else done
    return Job.objects.create(
        kind="mine",
        title="Mine questions",
        state=state,
        params={
            "strategies": strategies,
            "budget": 20,
            "overlap": 1,
            "gold": 0.1,
            "diversity": 0.5,
            "options": {"rare_identities": {"faces": [1, 3], "candidates": 1}},
        },
        created_by=user,
        unit_noun="strategy",
        units_total=total,
        units_done=done,
        weight_total=total,
        weight_done=done,
        started_at=now - timedelta(seconds=40),
        planned_at=now - timedelta(seconds=40),
        finished_at=None if state == "running" else now - timedelta(seconds=12),
    )


def _batch(world: World, job: Job, name: str, count: int) -> None:
    rng = np.random.default_rng(len(name))
    measured, values = rng.beta(2, 5, 400), rng.gamma(2, 3, 60)
    report: dict[str, Any] = {"considered": 400, "candidates": 60 if count else 0, "picked": count, "duplicates": 3}
    report["histogram"] = _histogram(measured, 0.52)
    report["values"] = _histogram(values, None) if count else {}
    report["reasons"] = {"both in one photo": count - count // 3, "told apart once": count // 3} if count else {}
    batch = ReviewBatch.objects.create(strategy=name, run=world.run, job=job, report=report, created_by=job.created_by)
    for n in range(min(count, len(world.clusters) - 1)):
        a, b = world.clusters[-1 - n], world.clusters[-2 - n]
        batch.items.create(
            ordinal=n,
            faces=[a.medoid_id, b.widest_b_id],
            identities=[a.identity_id, b.identity_id],
            value=4 - n / 10,
            settles=a.size,
            why=f"0.5{n % 10} between the two; 0.52 would join them.",
        )


def _histogram(values: np.ndarray[Any, Any], mark: float | None) -> dict[str, Any]:
    counts, _ = np.histogram(values, 40)
    return {"counts": counts.tolist(), "low": float(values.min()), "high": float(values.max()), "threshold": mark}


def _answers(job: Job, users: dict[str, User]) -> None:
    """Half of the first batch: some the same, most different, one skipped."""
    items = list(ReviewBatch.objects.filter(job=job).earliest("pk").items.order_by("ordinal"))
    for n, item in enumerate(items[: len(items) // 2]):
        if n == 1:
            skip_item(user=users["annotator"], item_id=item.pk)
        else:
            answer = "same" if n == 2 else "different"
            answer_item(user=users["annotator"], item_id=item.pk, answer=answer, seconds=2.5)
