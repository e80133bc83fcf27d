"""Evaluation as a job: releases side by side on one split of one version."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings

from annotation.models import DatasetVersion
from annotation.services.datasets import materialise
from annotation.services.engines import embedder_of
from foundation.errors import InvalidInput
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit
from loop.measuring import FAR, GATE_FAR, PRIMARY, Judged, judge, read_crops
from models_zoo.evaluation import Trial, difference, tar_at_far
from models_zoo.models import Evaluation, ModelRelease


class Evaluate(JobKind):
    """Params: `dataset` (id), `split`, `releases` (ids; each is compared with the first), `label_free` (whether to
    judge without labels even where there are some, because the challenger learned from them; false where absent).

    A locked split is read here and nowhere else, and every reading is counted.
    """

    name = "evaluate"
    title = "Evaluate"
    unit_noun = "evaluation"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key="evaluate")]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        for unit in units:
            run.done(unit, self._evaluate(job, run))

    def _evaluate(self, job: Job, run: UnitRun) -> dict[str, Any]:
        version = DatasetVersion.objects.get(pk=job.params["dataset"])
        split: str = job.params["split"]
        wanted = {release.pk: release for release in ModelRelease.objects.filter(pk__in=job.params["releases"])}
        releases = [wanted[pk] for pk in dict.fromkeys(job.params["releases"])]
        scratch = Path(settings.LOUPE_HOME) / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            materialise(
                version=version,
                directory=Path(folder) / "dataset",
                splits=[split],
                purpose="evaluation",
                user=job.created_by,
            )
            try:
                crops = read_crops(Path(folder) / "dataset", split)
                if label_free := job.params.get("label_free", False):
                    crops = replace(crops, labelled=False)
                judged = [judge(crops, embedder_of(release), progress=run.progress) for release in releases]
            except InvalidInput as error:
                # Too few people to judge by is an answer, not a failure: nothing is promoted on it.
                return {"basis": error.message, "split": split, "models": [], "changes": []}
        for release, one in zip(releases, judged, strict=True):
            _keep(release, version, split, one)
        measured = [one.trials for one in judged]
        return {
            "basis": ("the faces it learned from, as nobody is kept out yet; " if label_free else "") + judged[0].basis,
            "split": split,
            "models": [_figures(release, made) for release, made in zip(releases, measured, strict=True)],
            "changes": [_changes(measured[0], made) for made in measured[1:]],
        }


def _keep(release: ModelRelease, version: DatasetVersion, split: str, judged: Judged) -> None:
    metrics = _figures(release, judged.trials)["slices"]
    if judged.rejection:
        metrics["error_vs_reject"] = judged.rejection
    Evaluation.objects.update_or_create(
        release=release,
        dataset_digest=version.digest,
        split=split,
        defaults={"dataset": str(version), "metrics": metrics},
    )


def _figures(release: ModelRelease, made: dict[str, Trial]) -> dict[str, Any]:
    slices = {name: tar_at_far(trial, FAR).as_dict(FAR) for name, trial in made.items()}
    return {"release": release.pk, "model": str(release), "slices": slices}


def _changes(before: dict[str, Trial], after: dict[str, Trial]) -> dict[str, Any]:
    fars = {name: GATE_FAR if name in PRIMARY else FAR for name in before}
    changes = {name: difference(before[name], after[name], far) for name, far in fars.items()}
    return {name: {"value": one.value, "ci": [one.low, one.high], "far": fars[name]} for name, one in changes.items()}
