"""Scenes without any Blender here: what is told, who sets it up, previews that a job makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator as Rng
from rest_framework.test import APIClient

from accounts.services import create_token, create_user
from foundation.errors import Conflict
from jobs import services as jobs
from jobs.models import Job
from synthesis.effects.base import Image, Params
from synthesis.recipes import registry
from synthesis.samples import Labels
from synthesis.scenes import environment
from synthesis.services import blender, estimates
from synthesis.services.runs import start_run
from tests.synthesis import made_runs
from tests.synthesis.made_runs import Grey, run_of, version_of

pytestmark = pytest.mark.django_db


class Slow(Grey):
    """A grey picture that claims to need Blender."""

    def needs(self) -> str:
        return "blender"

    def sample(self, rng: Rng) -> Params:
        return {"grey": int(rng.integers(256))}

    def render(self, params: Params) -> tuple[Image, Labels]:
        if not blender.is_ready():
            raise environment.BlenderMissing("Blender isn't set up here.")
        instance = {"id": 1, "class": "thing", "box": [1, 1, 3, 3], "visibility": 0.5}
        grey = np.full((8, 8, 3), params["grey"], np.uint8)
        return grey, {"instances": [instance], "instance_map": np.eye(8, dtype=np.uint16)}


@pytest.fixture(autouse=True)
def ready(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether Blender is there: set it up, and it is."""
    options = {"location": str(tmp_path / "blobs")}
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    found: list[bool] = []
    monkeypatch.setattr(made_runs, "Slow", Slow, raising=False)
    monkeypatch.setitem(registry.PARTS, "slow", "tests.synthesis.made_runs.Slow")
    monkeypatch.setattr(environment, "installed", lambda folder: Path("python") if found else None)
    monkeypatch.setattr(environment, "set_up", lambda folder, progress: found.append(True))
    return found


@pytest.fixture
def client() -> APIClient:
    made = APIClient()
    user = create_user(username="d", role="data_engineer")
    made.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(user=user, name='test')[1]}")
    return made


def test_the_first_run_sets_blender_up(ready: list[bool]) -> None:
    version = version_of(run_of({"slow": {}}, name="scenes", count=5))
    assert version.counts == {"train_extra": {"images": 5}}
    assert ready == [True]
    assert Job.objects.get(kind="blender_setup").state == "finished"
    version_of(run_of({"slow": {}}, name="more", count=5, seed=8))
    assert Job.objects.filter(kind="blender_setup").count() == 1


def test_what_can_not_be_set_up_is_told(ready: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path, progress: Any) -> None:
        raise environment.BlenderMissing("As root: apt-get install libsm6")

    monkeypatch.setattr(environment, "set_up", refuse)
    run = run_of({"slow": {}}, name="scenes", count=5)
    assert run.job is not None
    assert run.job.state == "failed"
    assert run.job.error == "Blender could not be set up. As root: apt-get install libsm6"
    job = blender.setup_job()
    assert job is not None
    assert (job.state, job.error) == ("failed", "As root: apt-get install libsm6")
    monkeypatch.setattr(environment, "set_up", lambda folder, progress: ready.append(True))
    jobs.run_to_end(job_id=blender.start_setup().pk)
    jobs.retry_failed(job_id=run.job.pk)
    assert jobs.run_to_end(job_id=run.job.pk).state == "finished"


def test_previews_are_made_by_a_job_and_kept(client: APIClient, ready: list[bool]) -> None:
    ready.append(True)
    body = {"recipe": {"slow": {}}, "seed": 3, "count": 2}
    answer = client.post("/api/v1/synthesis/preview", body)
    assert answer.status_code == 202
    assert (answer.json()["items"], answer.json()["unfinished"]) == ([], True)
    job = answer.json()["job"]
    jobs.run_to_end(job_id=job)
    found = client.get(f"/api/v1/synthesis/previews/{job}").json()
    assert [(item["index"], item["code"]) for item in found["items"]] == [(0, ""), (1, "")]
    assert found["items"][0]["labels"]["instances"][0]["class"] == "thing"
    assert client.post("/api/v1/synthesis/preview", body).json() == found
    other = client.post("/api/v1/synthesis/preview", {**body, "seed": 4}).json()["job"]
    client.post("/api/v1/synthesis/preview", {**body, "seed": 5})
    assert Job.objects.get(pk=other).state == "cancelled"
    mine = Job.objects.filter(kind="blender_setup").count()
    assert client.get("/api/v1/synthesis/previews/999999").status_code == 404
    assert mine == 0


def test_the_state_of_blender_is_told(client: APIClient, ready: list[bool]) -> None:
    assert client.get("/api/v1/synthesis/blender").json() == {"ready": False, "job": None}
    job = client.post("/api/v1/synthesis/blender").json()["job"]
    assert client.post("/api/v1/synthesis/blender").json()["job"] == job
    assert client.get("/api/v1/synthesis/blender").json() == {"ready": False, "job": job}
    jobs.run_to_end(job_id=job)
    assert client.get("/api/v1/synthesis/blender").json() == {"ready": True, "job": None}


def test_many_scenes_are_reckoned_from_those_made_before(ready: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    ready.append(True)
    monkeypatch.setattr(estimates, "free_bytes", lambda: None)
    with pytest.raises(Conflict, match="Nobody has made such images"):
        start_run(recipe={"slow": {}}, count=10**9, seed=7)
    run_of({"slow": {}}, name="few", count=5)
    with pytest.raises(Conflict, match=r"would take about .* Confirm") as asked:
        start_run(recipe={"slow": {}}, count=10**9, seed=7)
    assert asked.value.facts["estimate"]["measured"] == 5
