"""A recipe aimed at the worst slice of a version, and the trial that tells what it brought: jobs on a small version."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from annotation.exporters.parquet import SCHEMA, write_manifest
from annotation.exporters.shards import write_shard
from annotation.models import DatasetVersion
from foundation import blobs
from foundation.errors import InvalidInput, NotFound
from jobs.models import Job, JobState
from jobs.services import run_to_end
from loop import aiming
from loop.aims import start_aiming, start_trial
from loop.job_kinds import synthetic_trial
from loop.job_kinds import train as train_job
from models_zoo.alignment import TEMPLATE
from models_zoo.models import ModelRelease
from models_zoo.quality import measure
from synthesis.effects import item_rng, make_effect
from synthesis.recipes import parse_recipe
from tests.factories import make_releases, make_world

pytestmark = pytest.mark.django_db
PEOPLE, SHOTS = 14, 10
NIGHT = make_effect("low_light", log2_photons=(3.0, 4.0), stops=(-3.0, -2.5))


class Thumbnails:
    """Stands for an embedder: what is left of a face at 8x8, which light and noise spoil. Sharper with `patience`."""

    def __init__(self, patience: float = 0.0) -> None:
        self._patience = patience

    def embed(self, crops: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        small = np.stack([cv2.resize(crop, (8, 8), interpolation=cv2.INTER_AREA) for crop in crops]).astype(np.float32)
        flat = small.mean(axis=3).reshape(len(crops), -1)
        flat -= flat.mean(axis=1, keepdims=True)
        # Faint pictures drown in noise of its own making.
        noise = np.random.default_rng(0).normal(0, 20.0 * (1 - self._patience), flat.shape)
        vectors = flat + noise
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def face(person: int, shot: int) -> np.ndarray[Any, Any]:
    coarse = np.random.default_rng(person).uniform(60, 220, (7, 7, 1))
    varied = coarse + np.random.default_rng([person, shot]).normal(0, 14, coarse.shape)
    grey = cv2.resize(varied.astype(np.float32), (112, 112), interpolation=cv2.INTER_CUBIC)[..., None]
    picture = np.clip(grey * np.array([1.0, 0.8, 0.7]), 0, 255).astype(np.uint8)
    return NIGHT(picture, item_rng(person, shot), TEMPLATE) if shot % 5 == 0 and person < PEOPLE else picture


@pytest.fixture(autouse=True)
def _own_place(settings: Any, tmp_path: Path) -> None:
    options = {"location": str(tmp_path / "blobs")}
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}


@pytest.fixture
def release() -> ModelRelease:
    make_world([2])
    return make_releases()[1]


def version_of(name: str, splits: dict[str, range], tmp_path: Path) -> DatasetVersion:
    """A version with SHOTS faces of each of the people of each split; every fifth of those below PEOPLE is dark."""
    rows, shards, counts = [], [], {}
    for split, people in splits.items():
        crops = [(who, shot, face(who, shot)) for who in people for shot in range(SHOTS)]
        pngs = [cv2.imencode(".png", crop[..., ::-1])[1].tobytes() for _, _, crop in crops]
        digests = [hashlib.sha256(png).hexdigest() for png in pngs]
        file = io.BytesIO()
        digest, places = write_shard(file, zip(digests, pngs, strict=True))
        blob = blobs.put("shards", file.getvalue(), expected=digest)
        shards.append({"digest": digest, "bytes": file.tell(), "blob": blob, "split": split, "faces": len(crops)})
        counts[split] = {"faces": len(crops), "identities": len(people)}
        stacked = np.stack([crop for _, _, crop in crops])
        landmarks = np.broadcast_to(TEMPLATE.astype(np.float32), (len(crops), 5, 2))
        quality = measure(stacked, landmarks, np.ones(len(crops), np.float32)).rows()
        for (who, shot, _), own, measured in zip(crops, digests, quality, strict=True):
            place = places[own]
            source = hashlib.sha256(f"{who}/{shot}".encode()).hexdigest()
            facts = {"face_digest": own, "identity": who, "label_source": "human", "confidence": 1.0, "split": split}
            facts |= {"weight": 1.0, "shard": place.shard, "offset": place.offset, "length": place.length}
            rows.append(
                dict.fromkeys(SCHEMA.names) | facts | measured | {"photo_digest": source, "source_digest": source}
            )
    path = tmp_path / f"{name}.parquet"
    write_manifest(path, [{column: [row[column] for row in rows] for column in SCHEMA.names}])
    return DatasetVersion.objects.create(
        name=name,
        version=1,
        state="published",
        digest=hashlib.sha256(name.encode()).hexdigest(),
        manifest_blob=blobs.put("shards", path.read_bytes()),
        shards=shards,
        counts=counts,
    )


@pytest.fixture
def people(tmp_path: Path, release: ModelRelease) -> DatasetVersion:
    return version_of("people", {"train": range(100, 108), "val_blackbox": range(PEOPLE)}, tmp_path)


def test_the_worst_slice_is_found_and_a_recipe_for_it_proposed(
    people: DatasetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loop.job_kinds.aim.embedder_of", lambda release: Thumbnails())
    monkeypatch.setattr(aiming, "propose", lambda *given, **more: _few_draws(*given, **more))
    job = start_aiming(dataset="people@v1")
    run_to_end(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FINISHED, job.error
    result = job.result or {}
    assert result["slice"]["measure"] in {"brightness", "contrast", "noise"}
    rates = [one["tar@1e-2"] for one in result["rates"]]
    assert rates == sorted(rates) and result["rates"][0]["slice"] == result["slice"]["name"]
    assert (result["dataset"], result["split"]) == ("people@v1", "val_blackbox")
    used = {name for part in result["recipe"]["all_of"]["effects"] for name in _effects(part)}
    assert used & {"low_light", "exposure"}
    assert parse_recipe(result["yaml"]) is not None
    light = next(one for one in result["matches"] if one["measure"] == "brightness")
    assert light["distance"] < 0.5 * light["distance_before"]


_propose = aiming.propose


def _few_draws(*given: Any, **more: Any) -> Any:
    return _propose(*given, **more, draws=200)


def _effects(part: dict[str, Any]) -> list[str]:
    return list(part["probably"]["effect"] if "probably" in part else part)


def test_a_named_slice_is_aimed_at_and_unknown_ones_are_refused(people: DatasetVersion, tmp_path: Path) -> None:
    faces = aiming.read_measured(_folder(people, tmp_path), "val_blackbox")
    assert faces.crops.shape == (PEOPLE * SHOTS, 112, 112, 3) and len(set(faces.people.tolist())) == PEOPLE
    assert set(faces.measures) >= {"brightness", "size_px", "yaw", "noise"}
    at, rates = aiming.choose_slice(faces, "dark", Thumbnails())
    assert at.name == "dark" and at.rows(faces.measures).mean() == pytest.approx(0.2, abs=0.03) and rates
    assert aiming.slice_of(aiming.limits_of(at)) == at
    best = aiming.read_measured(_folder(people, tmp_path), "val_blackbox", best=True)
    assert len(best.people) <= len(faces.people) * 0.6 and best.quality.min() >= np.median(faces.quality) - 1e-6
    with pytest.raises(InvalidInput, match="dark"):
        start_aiming(dataset="people@v1", slice="gloomy")
    with pytest.raises(InvalidInput, match="val_eyeball"):
        start_aiming(dataset="people@v1", split="val_eyeball")
    with pytest.raises(InvalidInput, match="final number"):
        start_aiming(dataset="people@v1", split="test")
    with pytest.raises(NotFound):
        start_aiming(dataset="nothing@v1")


def _folder(version: DatasetVersion, tmp_path: Path) -> Path:
    from annotation.services.datasets import materialise

    return materialise(
        version=version, directory=tmp_path / "read", splits=["val_blackbox"], purpose="evaluation", user=None
    )


def test_the_report_tells_who_is_better_where(people: DatasetVersion, tmp_path: Path) -> None:
    faces = aiming.read_measured(_folder(people, tmp_path), "val_blackbox")
    at, _ = aiming.choose_slice(faces, "dark", Thumbnails())
    found = aiming.report(faces, at, Thumbnails(), Thumbnails(patience=1.0))
    parts = {(row["part"], row["far"]): row for row in found["parts"]}
    dark, overall = parts[str(at), 1e-2], parts["overall", 1e-2]
    assert dark["with_synthetic"] - dark["real_only"] == pytest.approx(dark["gain"]) and dark["gain"] > 0.05
    assert dark["ci"][0] <= dark["gain"] <= dark["ci"][1] and dark["gain"] > overall["gain"]
    assert len(found["words"]) == 2 and "better for sure" in found["words"][0]
    same = aiming.report(faces, at, Thumbnails(), Thumbnails())
    assert "no sure difference" in same["words"][0] and "+0.000" in same["words"][0]


def test_a_trial_trains_twice_and_compares(
    people: DatasetVersion, release: ModelRelease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = version_of("dark-ones", {"train_extra": range(100, 103)}, tmp_path)
    trained: list[dict[str, Any]] = []

    def pretend(self: Any, job: Job, start: ModelRelease, run: Any) -> dict[str, Any]:
        trained.append(job.params)
        made = ModelRelease.objects.create(
            name="ft", version=len(trained), kind="embedder", architecture="sface", digest=f"{len(trained)}" * 64,
            blob=start.blob, filename="w", preprocessing=start.preprocessing, licence=start.licence, parent=start,
        )  # fmt: skip
        return {"release": made.pk}

    monkeypatch.setattr(train_job.Train, "_train", pretend)
    monkeypatch.setattr(synthetic_trial, "embedder_of", lambda one: Thumbnails(patience=float(one.version == 2)))
    aim = Job.objects.create(
        kind="aim", result={"slice": {"name": "dark", "measure": "brightness", "low": True, "limit": 70.0}}
    )
    job = start_trial(dataset="people@v1", extras=["dark-ones@v1"], aim=aim.pk, config={"epochs": 1})
    run_to_end(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FINISHED, job.error
    assert [one.get("extras") for one in trained] == [None, [extra.pk]]
    assert all(one["config"] == {"epochs": 1} and one["start"] == release.pk for one in trained)
    result = job.result or {}
    assert (result["real_only"], result["with_synthetic"]) == ("ft@v1", "ft@v2")
    assert result["slice"]["limit"] == 70.0 and result["parts"][0]["gain"] > 0
    assert (result["better"], result["dataset"], result["unjudged"]) == ("ft@v2", "people@v1", [])


def test_a_trial_needs_synthetic_faces(people: DatasetVersion) -> None:
    with pytest.raises(InvalidInput, match="synthetic"):
        start_trial(dataset="people@v1", extras=["people@v1"])
    with pytest.raises(InvalidInput, match="synthetic"):
        start_trial(dataset="people@v1", extras=[])
