"""What synthetic faces brought, on the pages of a run, a release, a round and a job; and starting to find out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from annotation.models import DatasetVersion
from frontend.trial_story import trial_of
from jobs.models import Job
from loop.models import Round
from models_zoo.models import ModelRelease
from synthesis.models import SynthesisRun
from tests.factories import make_releases, make_world
from tests.frontend.made_synthesis import make_synthesis_run
from tests.frontend.made_trials import make_faces_run, make_trial

HEADING = "Real faces alone, and with synthetic ones"


@pytest.fixture
def run(users: dict[str, User]) -> SynthesisRun:
    return make_faces_run(users["algorithm_engineer"])


@pytest.fixture
def people(db: Any) -> DatasetVersion:
    counts = {name: {"faces": 400, "identities": 20} for name in ("train", "val_blackbox")}
    return DatasetVersion.objects.create(name="people", version=3, state="published", digest="c" * 64, counts=counts)


def text(client: Client, name: str, *args: Any) -> str:
    answer = client.get(reverse(f"ui:{name}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_story_tells_the_parts_at_the_rate_that_most_can_be_told_at(
    run: SynthesisRun, people: DatasetVersion
) -> None:
    trial = trial_of(make_trial(run, dataset=people, models=("ft@v1", "ft@v2")))
    assert trial is not None and trial.far == 1e-2
    assert [part.name for part in trial.parts] == ["dark", "all faces", "unsharp"]
    assert [part.sure for part in trial.parts] == ["good", "", "bad"]
    assert trial.parts[0].limit == "brightness at most 61.2"
    assert [(said, chosen) for said, _, _, chosen in trial.models] == [
        ("real faces only", False),
        ("with synthetic faces", True),
    ]
    assert trial_of(Job(kind="synthetic_trial")) is None


def test_a_comparison_is_started_from_the_run_and_followed_there(
    as_role: Callable[[str], Client], run: SynthesisRun, people: DatasetVersion
) -> None:
    make_world([2])
    client = as_role("data_engineer")
    page = text(client, "synthesis_run", run.pk)
    assert "Does it help?" in page and "<option>people@v3</option>" in page and HEADING not in page
    answer = client.post(reverse("ui:start_trial", args=[run.pk]), {"dataset": "people@v3"})
    assert answer["Location"].endswith(f"{reverse('ui:synthesis_run', args=[run.pk])}#trials")
    job = Job.objects.get(kind="synthetic_trial")
    assert run.version is not None and job.params["extras"] == [run.version.pk]
    assert (job.params["dataset"], job.params["split"]) == (people.pk, "val_blackbox")
    page = text(client, "synthesis_run", run.pk)
    assert reverse("ui:trials_of_run", args=[run.pk]) in page and "Compare</button>" not in page
    part = client.get(reverse("ui:trials_of_run", args=[run.pk]), headers={"HX-Request": "true"})
    assert "HX-Refresh" not in part.headers and b"<html" not in part.content
    Job.objects.filter(pk=job.pk).update(state="failed", error="One of the two trainings did not end well.")
    part = client.get(reverse("ui:trials_of_run", args=[run.pk]), headers={"HX-Request": "true"})
    assert part.headers["HX-Refresh"] == "true"
    assert "did not end well" in text(client, "synthesis_run", run.pk)


def test_a_dataset_that_cannot_judge_is_refused_in_words(
    as_role: Callable[[str], Client], run: SynthesisRun, people: DatasetVersion
) -> None:
    DatasetVersion.objects.filter(pk=people.pk).update(counts={"train": {"faces": 400, "identities": 20}})
    client = as_role("data_engineer")
    assert "Freeze one" in text(client, "synthesis_run", run.pk)
    answer = client.post(reverse("ui:start_trial", args=[run.pk]), {"dataset": "people@v3"}, follow=True)
    assert "people@v3 has no faces in val_blackbox." in answer.content.decode()
    assert not Job.objects.filter(kind="synthetic_trial").exists()


def test_runs_without_faces_are_not_asked_about(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    lines = make_synthesis_run(users["data_engineer"])
    assert "Does it help?" not in text(as_role("data_engineer"), "synthesis_run", lines.pk)


def test_the_report_stands_where_people_look_for_it(
    as_role: Callable[[str], Client], run: SynthesisRun, people: DatasetVersion
) -> None:
    make_world([2])
    start = make_releases()[1]
    for version in (1, 2):
        ModelRelease.objects.create(
            name="ft", version=version, kind="embedder", architecture="sface", digest=f"{version}" * 64,
            blob=start.blob, filename="w", preprocessing=start.preprocessing, licence=start.licence, parent=start,
        )  # fmt: skip
    job = make_trial(run, dataset=people, models=("ft@v1", "ft@v2"))
    Round.objects.create(number=1, dataset=people, stages={"train": {"job": job.pk, "result": {"release": 2}}})
    client = as_role("algorithm_engineer")
    for name, *args in (
        ("model", "ft", 1),
        ("model", "ft", 2),
        ("round", 1),
        ("job", job.pk),
        ("synthesis_run", run.pk),
    ):
        page = text(client, name, *args)
        assert HEADING in page and "+0.019" in page and "no pairs to compare" in page, name
    assert HEADING not in text(client, "model", start.name, start.version)
    assert "Compare again" in text(client, "synthesis_run", run.pk)


def test_a_round_can_train_with_synthetic_faces(
    as_role: Callable[[str], Client], run: SynthesisRun, people: DatasetVersion
) -> None:
    make_world([2])
    client = as_role("data_engineer")
    assert 'name="extras" value="people-aimed@v1"' in text(client, "rounds")
    client.post(reverse("ui:start_round"), {"mining_budget": "5", "extras": ["people-aimed@v1"]})
    assert Round.objects.get().parameters == {"mining_budget": 5, "extras": ["people-aimed@v1"]}
    Round.objects.all().delete()
    answer = client.post(reverse("ui:start_round"), {"extras": ["people@v3"]}, follow=True)
    assert "people@v3 has no synthetic faces in train_extra." in answer.content.decode()
    assert not Round.objects.exists()
    answer = client.post(reverse("ui:start_round"), {"extras": ["people-aimed@v1"] * 11}, follow=True)
    assert "at most 10 versions" in answer.content.decode() and not Round.objects.exists()
    client.post(reverse("ui:start_round"), {"extras": ["people-aimed@v1"] * 2})
    assert Round.objects.get().parameters["extras"] == ["people-aimed@v1"]
