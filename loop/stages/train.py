"""A challenger, trained on the frozen version, starting at the published network that the champion descends from.

A round with synthetic faces trains twice, without and with them, compares both on people kept out, and goes on with the
better one.
"""

from __future__ import annotations

from typing import Any

from annotation.exporters.splits import TRAIN, VAL_BLACKBOX
from jobs import services as jobs
from jobs.models import Job
from loop.aims import EXTRAS, TRIAL, synthetic_versions, trial_params
from loop.models import Round
from loop.stages.base import Stage, unit_result
from models_zoo.models import ModelRelease
from models_zoo.queries import by_reference


class TrainStage(Stage):
    title = "Train a challenger"

    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        version = round.dataset
        if version is None or not version.counts.get(TRAIN, {}).get("faces"):
            return None
        config = round.parameters.get("train", {})
        extras = synthetic_versions(round.parameters.get(EXTRAS, []))
        if extras and version.counts.get(VAL_BLACKBOX, {}).get("faces"):
            kind, params = TRIAL, trial_params(version, extras, split=VAL_BLACKBOX, config=config)
        else:
            kind, params = "train", {"dataset": version.pk, "config": config}
            if extras:
                params["extras"] = [one.pk for one in extras]
        return jobs.enqueue(kind=kind, params=params, key=key, parent=parent, user=round.created_by)

    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        if job is None:
            return {"skipped": "nothing to train on"}
        if job.kind == TRIAL:
            report = job.result or {}
            round.challenger = by_reference(report["better"])
            result = {key: report[key] for key in ("real_only", "with_synthetic", "words")}
            result |= {"release": round.challenger.pk, "reference": str(round.challenger)}
        else:
            result = unit_result(job)
            round.challenger = ModelRelease.objects.get(pk=result["release"])
        round.save(update_fields=["challenger"])
        return result
