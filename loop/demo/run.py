"""The demo from a folder of photos to the report. Every step can be repeated: a second run continues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from rich.console import Console

from annotation.models import ClusterRun, Collection, EmbeddingSpace, Face
from annotation.services.collections import ensure_collection
from annotation.services.imported_labels import import_labels
from jobs import services as jobs
from jobs.models import Job, JobState
from loop import services
from loop.demo import album, staging
from loop.demo.options import DemoOptions
from loop.demo.pool import measure_pool
from loop.demo.report import build_report
from loop.demo.watch import Watch
from loop.models import Round
from loop.settling import has_settled
from models_zoo.services import register_defaults
from synthesis.effects import degrade

COLLECTIONS = {
    "pool": ("Demo album", Collection.Split.NONE),
    "val_blackbox": ("Demo: held out for choosing models", Collection.Split.VAL_BLACKBOX),
    "test": ("Demo: held out for the final number", Collection.Split.TEST),
}


class Demo:
    """One demo in one LOUPE_HOME."""

    def __init__(self, options: DemoOptions, console: Console) -> None:
        self.options = options
        self.console = console
        self.folder = Path(settings.LOUPE_HOME) / "demo" / options.key()
        self.notes = self.folder / "measured.json"

    def run(self) -> dict[str, Any]:
        """Take the photos round the loop; the report."""
        with Watch(self.console) as watch:
            register_defaults(progress=lambda done, total: watch.bar("Fetch and check weights", done, total))
            photos = album.choose(self.options, home=self.folder.parent, say=self.console.print)
            staged = staging.stage(
                photos,
                self.options,
                folder=self.folder / "photos",
                degrade=degrade,
                progress=lambda done, total: watch.bar("Prepare photos", done, total),
            )
            first = self._ingest(staged, watch)
            pool = Collection.objects.get(name=COLLECTIONS["pool"][0])
            self._note_pool(0, pool, staged)
            for number in range(1, self.options.rounds + 1):
                round = self._round(number, watch)
                self._note_pool(number, pool, staged)
                if self.options.until_settled and has_settled(round):
                    self.console.print(f"Labels have settled after round {number}.")
                    break
        rounds = list(Round.objects.filter(number__lte=self.options.rounds).order_by("number"))
        pools = {int(number): value for number, value in self._noted().items()}
        return build_report(first=first, pools=pools, rounds=rounds)

    def _ingest(self, staged: list[staging.Staged], watch: Watch) -> dict[str, Any]:
        """Ingest, embed and cluster; {"seconds": {stage: s}, "faces_per_second"} from the jobs' own times."""
        seconds: dict[str, float] = {}
        for group, (name, split) in COLLECTIONS.items():
            items = [item for item in staged if item.path.startswith(f"{group}/")]
            if not items:
                continue
            collection = ensure_collection(name=name, held_out=split)
            sources = {item.path: item.source for item in items if item.source}
            params = {
                "folder": str(self.folder / "photos"),
                "paths": [item.path for item in items],
                "collection": collection.pk,
                "sources": sources,
            }
            job = self._once(watch, kind="ingest", params=params, key=f"demo:{self.options.key()}:ingest:{group}")
            seconds["ingest"] = seconds.get("ingest", 0.0) + _seconds(job)
            for child in Job.objects.filter(parent=job, kind="embed"):
                watch.until_ended(child.pk)
            if group != "pool":
                import_labels(collection=collection, people={item.path: item.person for item in items if item.person})
        live = EmbeddingSpace.objects.get(state=EmbeddingSpace.State.LIVE)
        if not ClusterRun.objects.filter(current=True).exists():
            self._once(watch, kind="embed", params={"space": live.pk}, key=f"demo:{self.options.key()}:embed")
            self._once(watch, kind="cluster", params={"space": live.pk}, key=f"demo:{self.options.key()}:cluster")
        for kind in ("embed", "cluster"):
            ended = Job.objects.filter(kind=kind, round=None).exclude(key__startswith="round:").order_by("pk")
            seconds[kind] = sum(_seconds(job) for job in ended)
        spent = seconds["ingest"] + seconds["embed"]
        return {"seconds": seconds, "faces_per_second": Face.objects.count() / spent if spent else None}

    def _once(self, watch: Watch, *, kind: str, params: dict[str, Any], key: str) -> Job:
        """Run the job under `key` unless an earlier run of the demo has seen it end."""
        job = Job.objects.filter(key=key).order_by("-id").first()
        if job is None or job.state in (JobState.FAILED, JobState.CANCELLED):
            job = jobs.enqueue(kind=kind, params=params, key=key)
        return watch.until_ended(job.pk)

    def _round(self, number: int, watch: Watch) -> Round:
        round = Round.objects.filter(number=number).first() or services.start_round()
        if round.finished_at is None and round.job is not None:
            if round.job.state == JobState.FAILED:
                jobs.retry_failed(job_id=round.job.pk)
            watch.until_ended(round.job.pk)
            round.refresh_from_db()
        return round

    def _noted(self) -> dict[str, Any]:
        noted: dict[str, Any] = json.loads(self.notes.read_text()) if self.notes.exists() else {}
        return noted

    def _note_pool(self, number: int, pool: Collection, staged: list[staging.Staged]) -> None:
        """Measure the pool as it is after this round; never again later, when labels have moved on."""
        noted = self._noted()
        if str(number) not in noted:
            noted[str(number)] = measure_pool(collection_id=pool.pk, staged=staged)
            self.notes.write_text(json.dumps(noted))


def _seconds(job: Job) -> float:
    return (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else 0.0
