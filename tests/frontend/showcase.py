"""A full installation to look at: every page has something on it. Made-up numbers, so never a measurement."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from annotation.models import ClusterRun, DatasetAlias, DatasetVersion, Label, Photo, TestUse
from annotation.services.decisions import By
from annotation.services.identities import name_person, reject_faces
from jobs.models import Job, Unit
from loop.models import Round
from loop.stages import STAGES
from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.services.error_models import refresh_error_models
from models_zoo.models import Evaluation, ModelRelease, ReleaseAlias
from synthesis.models import SynthesisRun
from tests.factories import Picture, World, make_world
from tests.frontend.made_mining import make_mining_runs
from tests.frontend.made_runs import make_runs
from tests.frontend.made_synthesis import make_synthesis_run
from tests.frontend.made_trials import make_faces_run, make_trial

SLICES = ("clean_clean", "degraded_clean", "degraded_degraded")


def real_pictures(folder: Path, *, people: int = 60, most: int = 40) -> list[Picture]:
    """Photos of `folder/<person>/*.jpg` whose faces stand in the middle, people with most photos first."""
    by_size = sorted(folder.iterdir(), key=lambda person: (-len(list(person.glob("*.jpg"))), person.name))
    found = []
    for person in by_size[:people]:
        for path in sorted(person.glob("*.jpg"))[:most]:
            picture = cv2.imread(str(path))
            assert picture is not None, path
            image = picture[:, :, ::-1]
            height, width = image.shape[:2]
            side = int(min(height, width) * 0.56)
            y, x = (height - side) // 2, (width - side) // 2
            crop = cv2.resize(image[y : y + side, x : x + side], (112, 112), interpolation=cv2.INTER_AREA)
            name = person.name.replace("_", " ")
            found.append(
                Picture(name, f"{person.name}/{path.name}", path.read_bytes(), np.asarray(crop), (width, height))
            )
    return found


def addresses(world: World | None) -> dict[str, str]:
    """{name: address} of every page; those of single objects only where there are some."""
    names = (
        "dashboard import photos people clusters cluster_runs review mining_runs start_mining annotators ledger jobs "
        "synthesis synthesis_runs rounds datasets models account users"
    )
    pages = {name.replace("_", "-"): reverse(f"ui:{name}") for name in names.split()}
    pages["missing"] = "/nothing/here/"
    if world is None:
        return pages
    return pages | {
        "photo": reverse("ui:photo", args=[world.photos[0].pk]),
        "photos-failed": reverse("ui:photos") + "?state=failed",
        "person": reverse("ui:person", args=[world.people[0].pk]),
        "cluster": reverse("ui:cluster", args=[world.clusters[0].pk]),
        "cluster-run": reverse("ui:cluster_run", args=[world.run.pk]),
        **{
            f"cluster-run-{run.state}": reverse("ui:cluster_run", args=[run.pk])
            for run in ClusterRun.objects.filter(current=False).order_by("pk")
        },
        "ledger-filtered": f"{reverse('ui:ledger')}?batch={_batch('pair')}&kind=merge&since=2026-01-05T09:30",
        "ledger-reversal": f"{reverse('ui:ledger_reversal')}?by={User.objects.get(username='annotator').pk}",
        "annotator": reverse("ui:annotator", args=[User.objects.get(username="annotator").pk]),
        **{f"batch-{asks}s": reverse("ui:batch", args=[_batch(asks)]) for asks in ReviewBatch.Asks.values},
        "batch-board": reverse("ui:batch", args=[_batch("pair")]) + "?view=board",
        "mining-run": reverse("ui:mining_run", args=[_run("finished")]),
        "mining-run-running": reverse("ui:mining_run", args=[_run("running")]),
        "mining-run-failed": reverse("ui:mining_run", args=[_run("failed")]),
        "synthesis-run-faces": reverse(
            "ui:synthesis_run", args=[SynthesisRun.objects.exclude(version=None).latest("pk").pk]
        ),
        "synthesis-run": reverse("ui:synthesis_run", args=[SynthesisRun.objects.latest("pk").pk]),
        "job-running": reverse("ui:job", args=[_job("running")]),
        "job-failed": reverse("ui:job", args=[_job("finished_with_errors")]),
        "round": reverse("ui:round", args=[2]),
        "round-running": reverse("ui:round", args=[3]),
        "dataset": reverse("ui:dataset", args=["people", 1]),
        "model": reverse("ui:model", args=["sface-ft", 2]),
    }


def _batch(asks: str) -> int:
    return ReviewBatch.objects.filter(asks=asks).order_by("pk").values_list("pk", flat=True)[0]


def _job(state: str) -> int:
    return Job.objects.filter(state=state).exclude(kind="mine").values_list("pk", flat=True)[0]


def _run(state: str) -> int:
    return Job.objects.filter(state=state, kind="mine").values_list("pk", flat=True)[0]


def make_showcase(users: dict[str, User], pictures: Sequence[Picture]) -> World:
    """People, decisions, jobs in every state, three rounds, versions, releases, questions."""
    names = list(dict.fromkeys(picture.person for picture in pictures))
    sizes = [sum(picture.person == name for picture in pictures) for name in names]
    world = make_world(sizes, pictures=pictures, names=names[: len(names) * 2 // 3], alone=0)
    _failed_photos()
    by = By(users["annotator"], 3.4, {"page": "cluster"})
    name_person(identity_id=world.people[-1].pk, name="Somebody New", by=by)
    reject_faces(identity_id=world.people[0].pk, faces=[world.clusters[0].widest_a_id], by=by)
    _jobs(users["data_engineer"])
    releases = _releases(users["algorithm_engineer"])
    versions = _datasets(users["algorithm_engineer"], releases[-1])
    faces = make_faces_run(users["algorithm_engineer"])
    make_trial(faces, dataset=versions[1], models=("sface-ft@v1", "sface-ft@v2"))
    _rounds(users["algorithm_engineer"], releases, versions)
    _questions(world)
    _votes(world, users)
    make_mining_runs(world, users)
    make_runs(world)
    make_synthesis_run(users["data_engineer"])
    world.run.refresh_from_db()
    world.run.metrics["labels"] = {"moved": 3, "known": 2310}
    world.run.metrics["arrivals"] = {"faces": 214, "joined": 171, "new_clusters": 12, "alone": 9, "bridges": 3}
    world.run.save()
    return world


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _failed_photos() -> None:
    reasons = [
        ("truncated", "The image ends before it is complete."),
        ("too_many_pixels", "The image has more pixels than the limit."),
        ("not_an_image", "The file is not an image."),
    ]
    Photo.objects.bulk_create(
        Photo(digest=_digest(code), bytes=4711, state="failed", error_code=code, error=text) for code, text in reasons
    )


def _jobs(user: User) -> None:
    now = timezone.now()
    shapes: list[tuple[str, str, str, int, int, int]] = [
        ("ingest", "Ingest photos", "finished_with_errors", 300, 297, 3),
        ("embed", "Embed faces", "finished", 12, 12, 0),
        ("cluster", "Cluster and label", "failed", 1, 0, 1),
        ("train", "Train a challenger", "cancelled", 1, 0, 0),
        ("ingest", "Ingest photos", "running", 800, 312, 2),
    ]
    for kind, title, state, total, done, failed in shapes:
        over = state != "running"
        job = Job.objects.create(
            kind=kind,
            title=title,
            state=state,
            params={"folder": "/photos/2024"} if kind == "ingest" else {"space": 1},
            created_by=user,
            unit_noun="file" if kind == "ingest" else "pack",
            units_total=total,
            units_done=done,
            units_failed=failed,
            weight_total=total,
            weight_done=done + failed,
            started_at=now - timedelta(minutes=9),
            planned_at=now - timedelta(minutes=9),
            finished_at=now - timedelta(minutes=2) if over else None,
            error="All units failed." if state == "failed" else "",
            error_code="all_failed" if state == "failed" else "",
            peak_rss_mb=812,
            result={"photos": done} if state == "finished" else None,
        )
        for n in range(failed):
            Unit.objects.create(
                job=job,
                key=f"album/IMG_{4711 + n}.jpg",
                ordinal=n,
                state="failed",
                error_code="truncated",
                error="The image ends before it is complete.",
                attempts=1,
                seconds=0.2 * (n + 1),
            )
        if not over:
            Unit.objects.create(
                job=job,
                key="album/IMG_5002.jpg",
                ordinal=500,
                state="running",
                items_done=30,
                items_total=64,
                worker="host/worker-1",
                started_at=now - timedelta(seconds=4),
            )


def _releases(user: User) -> list[ModelRelease]:
    start = ModelRelease.objects.get(name="sface", version=1)
    made = [start]
    for version in (1, 2):
        release = ModelRelease.objects.create(
            name="sface-ft",
            version=version,
            kind="embedder",
            architecture="sface",
            digest=_digest(f"ft{version}"),
            blob=start.blob,
            filename="weights.safetensors",
            preprocessing=start.preprocessing,
            licence=start.licence,
            parent=made[-1],
            dataset=f"people@v{version}",
            created_by=user,
            training={"config": {"epochs": 3}},
        )
        made.append(release)
    for n, release in enumerate(made):
        Evaluation.objects.create(
            release=release,
            dataset="people@v1",
            dataset_digest=_digest("people1"),
            split="val_blackbox",
            metrics=_slices(n),
        )
    ReleaseAlias.objects.filter(kind="embedder", alias="champion").update(release=made[-1])
    ReleaseAlias.objects.create(kind="embedder", alias="challenger", release=made[1])
    return made


def _slices(n: int) -> dict[str, Any]:
    values = {"clean_clean": 0.990, "degraded_clean": 0.807 + 0.05 * n, "degraded_degraded": 0.571 + 0.06 * n}
    return {"slices": {name: {"tar@1e-3": v, "ci": [v - 0.02, min(1.0, v + 0.015)]} for name, v in values.items()}}


def _datasets(user: User, release: ModelRelease) -> list[DatasetVersion]:
    made = []
    for version in (1, 2):
        counts = {
            "train": {"faces": 1840, "identities": 96},
            "val_blackbox": {"faces": 402, "identities": 21},
            "val_eyeball": {"faces": 230, "identities": 12},
            "test": {"faces": 415, "identities": 22},
        }
        made.append(
            DatasetVersion.objects.create(
                name="people",
                version=version,
                state="published",
                digest=_digest(f"people{version}"),
                counts=counts,
                manifest_bytes=91_000,
                shards=[
                    {"digest": _digest(str(i)), "bytes": 18_400_000, "blob": "", "split": "train"} for i in range(3)
                ],
                parameters={"min_faces": 4},
                created_by=user,
            )
        )
    DatasetAlias.objects.create(name="people", alias="latest", version=made[-1])
    TestUse.objects.create(version=made[0], release=release, user=user, purpose="measure round 1")
    return made


def _rounds(user: User, releases: Sequence[ModelRelease], versions: Sequence[DatasetVersion]) -> None:
    now = timezone.now()
    for number in (1, 2, 3):
        done = list(STAGES) if number < 3 else list(STAGES)[:4]
        stages: dict[str, Any] = {
            name: {
                "job": None,
                "started": now.isoformat(),
                "seconds": 4.0 + 11 * i,
                "result": {"faces": 2310, "packs": 3},
            }
            for i, name in enumerate(done)
        }
        labels = {"moved": 2310 // 9**number, "known": 2310}
        stages["cluster"]["result"] = {
            "run": number,
            "clusters": 60 + 9 * number,
            "alone": 210 - 40 * number,
            "labels": labels,
        }
        if number == 2:
            stages["train"]["job"] = Job.objects.get(kind="synthetic_trial").pk
        if number < 3:
            before, after = _slices(number - 1), _slices(number)
            stages["measure"]["result"] = {
                "before": before,
                "after": after,
                "pool": {"bcubed": {"f": 0.65 + 0.08 * number}, "labelled": 0.7 + 0.07 * number},
            }
        else:
            job = Job.objects.filter(state="running").first()
            stages[list(STAGES)[4]] = {"job": job.pk if job else None, "started": now.isoformat()}
        reasons = ["Judged by people kept out for choosing.", "degraded vs clean rose by 0.050 (0.031 to 0.066)."]
        Round.objects.create(
            number=number,
            stages=stages,
            promoted=True if number < 3 else None,
            verdict=reasons if number < 3 else [],
            champion=releases[number] if number < 3 else None,
            challenger=releases[number] if number < 3 else None,
            dataset=versions[min(number, 2) - 1],
            created_by=user,
            finished_at=now - timedelta(hours=4 - number) if number < 3 else None,
        )


def _questions(world: World) -> None:
    pairs = ReviewBatch.objects.create(
        strategy="threshold_pairs",
        run=world.run,
        report={"histogram": {"counts": [3, 9, 21, 40, 33, 18, 7, 2], "low": 0.3, "high": 0.7, "threshold": 0.52}},
    )
    suspects = ReviewBatch.objects.create(strategy="label_suspects", asks="suspect", run=world.run)
    for n in range(min(8, len(world.clusters) - 1)):
        a, b = world.clusters[n], world.clusters[n + 1]
        ReviewItem.objects.create(
            batch=pairs,
            ordinal=n,
            faces=[a.widest_a_id, b.widest_a_id],
            identities=[a.identity_id, b.identity_id],
            value=9.0 - n,
            settles=a.size + b.size,
            why="These two faces look almost alike enough to be one person.",
        )
        ReviewItem.objects.create(
            batch=suspects,
            ordinal=n,
            faces=[a.widest_a_id, b.medoid_id],
            identities=[a.identity_id, b.identity_id],
            value=5.0 - n / 2,
            settles=1,
            why=f"This face looks more like {b.identity} than like {a.identity}.",
            evidence={"action": str(uuid4())},
        )
    _questions_of_many(world)


def _questions_of_many(world: World) -> None:
    """Whether clusters are one person each, and whether two people are one."""
    clusters = ReviewBatch.objects.create(strategy="clusters", asks="cluster", expected_seconds=9.0, run=world.run)
    merges = ReviewBatch.objects.create(strategy="merges", asks="merge", expected_seconds=9.0, run=world.run)
    for n, (a, b) in enumerate(zip(world.clusters[:8], world.clusters[1:9], strict=False)):
        wide = [a.widest_a_id, a.widest_b_id]
        others = [one for one in world.clusters[:5] if one.identity_id != a.identity_id]
        proposals = [
            {"identity": one.identity_id, "face": one.medoid_id, "similarity": 0.5 - at / 20}
            for at, one in enumerate(others)
        ]
        ReviewItem.objects.create(
            batch=clusters,
            ordinal=n,
            faces=list(dict.fromkeys([a.medoid_id, *wide])),
            identities=[a.identity_id],
            value=a.size * 0.7,
            settles=a.size,
            why=f"{a.size} faces that look like one person; the first ones fit least.",
            evidence={"cluster": a.pk, "medoid": a.medoid_id, "widest": wide, "proposals": proposals},
        )
        ReviewItem.objects.create(
            batch=merges,
            ordinal=n,
            faces=[a.medoid_id, b.medoid_id],
            identities=[a.identity_id, b.identity_id],
            value=b.size * 0.5,
            settles=b.size,
            why="These two rows look almost alike enough to be one person.",
        )


def _votes(world: World, users: dict[str, User]) -> None:
    """A batch that three people answered, some of its answers known; the first errs most."""
    batch = ReviewBatch.objects.create(strategy="pairs_near_threshold", run=world.run, overlap=3)
    people = [users["annotator"], users["data_engineer"], users["manager"]]
    person, rng = {}, np.random.default_rng(5)
    for identity in world.people[:4]:
        for label in Label.objects.filter(identity=identity)[:3]:
            person[label.face_id] = identity.pk
    Label.objects.filter(face__in=person).update(source=Label.Source.HUMAN)
    for n, (a, b) in enumerate(itertools.combinations(person, 2)):
        truth = "same" if person[a] == person[b] else "different"
        item = batch.items.create(
            ordinal=n, faces=[a, b], value=1.0, settles=1, why="w", state="answered", gold=truth if n % 3 == 0 else ""
        )
        for at, user in enumerate(people):
            other = "different" if truth == "same" else "same"
            said = other if rng.random() < 0.16 / (at + 1) else truth
            took = float(rng.gamma(6, 0.5 + at / 5))
            ReviewVote.objects.create(item=item, user=user, answer=said, seconds=took)
    for vote in ReviewVote.objects.all():
        said_at = timezone.now() - timedelta(days=int(rng.integers(0, 20)))
        ReviewVote.objects.filter(pk=vote.pk).update(created_at=said_at)
    refresh_error_models()
