"""What the stages of a round hand to their jobs."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.models import DatasetVersion
from jobs.models import Job
from loop.aims import better_of
from loop.job_kinds.train import Train
from loop.models import Round
from loop.stages.evaluate import EvaluateStage
from loop.stages.measure import MeasureStage
from loop.stages.train import TrainStage
from models_zoo.models import ModelRelease
from models_zoo.services import move_alias
from tests.factories import make_releases, make_world


@pytest.fixture
def start(db: Any) -> ModelRelease:
    make_world([4, 3])
    return make_releases()[1]


def child(parent: ModelRelease, version: int) -> ModelRelease:
    return ModelRelease.objects.create(
        name="better", version=version, kind="embedder", architecture="sface", digest=f"{version}" * 64,
        blob=parent.blob, filename="weights.safetensors", preprocessing=parent.preprocessing,
        licence=parent.licence, parent=parent,
    )  # fmt: skip


def round_of(champion: ModelRelease, challenger: ModelRelease, **splits: int) -> tuple[Round, Job]:
    counts = {name: {"faces": faces, "identities": 1} for name, faces in splits.items()}
    dataset = DatasetVersion.objects.create(name="people", version=1, counts=counts)
    round = Round.objects.create(number=1, champion=champion, challenger=challenger, dataset=dataset)
    return round, Job.objects.create(kind="round")


def test_every_round_trains_from_the_published_network(start: ModelRelease) -> None:
    move_alias(kind="embedder", alias="champion", release=child(child(start, 1), 2))
    assert [unit.params["start"] for unit in Train().plan(Job(kind="train", params={}))] == [start.pk]
    asked = Job(kind="train", params={"start": 77})
    assert [unit.params["start"] for unit in Train().plan(asked)] == [77]


@pytest.mark.parametrize(("kept_out", "split", "label_free"), [(9, "val_blackbox", False), (0, "train", True)])
def test_without_people_kept_out_the_gate_judges_without_labels(
    start: ModelRelease, kept_out: int, split: str, label_free: bool
) -> None:
    challenger = child(start, 1)
    round, parent = round_of(start, challenger, train=20, val_blackbox=kept_out)
    job = EvaluateStage().start(round, key="k", parent=parent)
    assert job is not None
    assert (job.params["split"], job.params["label_free"]) == (split, label_free)
    assert job.params["releases"] == [start.pk, challenger.pk]


def test_a_promoted_release_is_measured_against_the_champion_before_it(start: ModelRelease) -> None:
    first = child(start, 1)
    second = child(start, 2)  # trained from the start, but `first` was champion
    move_alias(kind="embedder", alias="champion", release=second)
    round, parent = round_of(second, second, train=20, test=9)
    round.promoted = True
    round.stages = {"evaluate": {"result": {"models": [{"release": first.pk}, {"release": second.pk}]}}}
    job = MeasureStage().start(round, key="k", parent=parent)
    assert job is not None and job.params["releases"] == [first.pk, second.pk]
    assert MeasureStage().collect(round, None)["pool"]["labelled"] is not None


@pytest.mark.parametrize(("kept_out", "kind"), [(9, "synthetic_trial"), (0, "train")])
def test_a_round_with_synthetic_faces_compares_where_it_can(start: ModelRelease, kept_out: int, kind: str) -> None:
    counts = {"train_extra": {"faces": 50, "identities": 4}}
    extra = DatasetVersion.objects.create(name="dark", version=1, state="published", counts=counts)
    round, parent = round_of(start, start, train=20, val_blackbox=kept_out)
    round.parameters = {"extras": ["dark@v1"], "train": {"epochs": 1}}
    job = TrainStage().start(round, key="k", parent=parent)
    assert job is not None and job.kind == kind
    assert (job.params["extras"], job.params["config"]) == ([extra.pk], {"epochs": 1})


@pytest.mark.parametrize(("gain", "better"), [(0.01, "better@v2"), (0.0, "better@v2"), (-0.01, "better@v1")])
def test_a_round_goes_on_with_the_model_that_does_not_lose_overall(
    start: ModelRelease, gain: float, better: str
) -> None:
    child(start, 1), child(start, 2)
    round, _ = round_of(start, start, train=20)
    report: dict[str, Any] = {"real_only": "better@v1", "with_synthetic": "better@v2", "words": ["It is so."]}
    report["parts"] = [{"part": "dark", "gain": 1.0}, {"part": "overall", "gain": gain}]
    report["better"] = better_of(report)
    found = TrainStage().collect(round, Job.objects.create(kind="synthetic_trial", result=report))
    assert found["reference"] == better and str(round.challenger) == better
    assert better_of({**report, "parts": []}) == "better@v2"  # the gate judges what nothing else can
