"""Training as a job: one unit that goes on from its last checkpoint if it is killed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from annotation.models import DatasetVersion
from annotation.services.datasets import materialise
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit
from models_zoo.models import ModelRelease
from models_zoo.queries import champion, origin
from models_zoo.services import local_weights, register_release
from synthesis.effects import training_augment


class Train(JobKind):
    """Params: `dataset` (id), `extras` (ids of versions whose train_extra is added, capped and weighted as the config
    says; none where absent), `config` (overrides of TrainConfig), `start` (release id; where absent, the published
    release that the champion descends from: rounds hand on better data, not the traces of older labels).
    """

    name = "train"
    title = "Train a challenger"
    unit_noun = "training"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        # Pinned now: a promotion while the unit waits must not change what it starts from.
        start = job.params.get("start") or origin(champion(ModelRelease.Kind.EMBEDDER)).pk
        return [UnitSpec(key="train", params={"start": start})]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        for unit in units:
            run.done(unit, self._train(job, ModelRelease.objects.get(pk=unit.params["start"]), run))

    def _train(self, job: Job, start: ModelRelease, run: UnitRun) -> dict[str, Any]:
        # Here, because torch takes seconds to import, and the web process loads this file to enqueue.
        from models_zoo.training import TrainConfig, train

        version = DatasetVersion.objects.get(pk=job.params["dataset"])
        folder = Path(settings.LOUPE_HOME) / "training" / f"job-{job.pk}"
        dataset = folder / "dataset"
        materialise(
            version=version,
            directory=dataset,
            splits=["train", "train_extra"],
            purpose="training",
            user=job.created_by,
        )
        extras = DatasetVersion.objects.in_bulk(job.params.get("extras", []))
        for pk, extra in extras.items():
            materialise(
                version=extra,
                directory=folder / f"extra-{pk}",
                splits=["train_extra"],
                purpose="training",
                user=job.created_by,
            )
        trained = train(
            TrainConfig.from_dict(job.params.get("config", {})),
            dataset=dataset,
            extras=[folder / f"extra-{pk}" for pk in sorted(extras)],
            start_weights=local_weights(start),
            output=folder / "release",
            augment=training_augment,
            device=settings.LOUPE_DEVICE,
            progress=run.progress,
        )
        release = register_release(
            directory=folder / "release",
            name=start.name if start.parent_id else f"{start.name}-ft",
            parent=start,
            dataset=" + ".join(map(str, [version, *extras.values()]))[:160],
            dataset_digest=version.digest,
            user=job.created_by,
        )
        return {"release": release.pk, "reference": str(release), **trained.summary()}
