"""Cluster runs through REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from annotation.models import ClusterRun
from annotation.services.clustering_runs import run_clustering
from jobs import services as jobs
from jobs.models import Job
from tests.annotation.decisions.world import THRESHOLDS, make_world, who

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/clusterings"


def test_from_preview_to_applied_and_back(client_of: Callable[..., APIClient]) -> None:
    world = make_world(5, 3)
    before = world.cluster()
    first = ClusterRun.objects.get()
    world.add_person(4)
    run = run_clustering(space=world.space, settings=THRESHOLDS, preview=True)
    client = client_of("data_engineer")
    listed = client.get(ROOT).json()["results"]
    assert [(one["id"], one["state"], one["current"], one["kept"]) for one in listed] == [
        (run.pk, "preview", False, True),
        (first.pk, "done", True, True),
    ]
    found = client.get(f"{ROOT}/{run.pk}/difference").json()
    assert {name: found[name] for name in ("before", "after", "faces", "appeared", "new", "same", "moved")} == {
        "before": first.pk,
        "after": run.pk,
        "faces": 8,
        "appeared": 4,
        "new": 1,
        "same": 2,
        "moved": 0,
    }
    assert client.get(f"{ROOT}/{run.pk}/difference?against={run.pk}").json()["appeared"] == 0
    answer = client.post(f"{ROOT}/{run.pk}/apply")
    assert answer.status_code == 202 and client.post(f"{ROOT}/{run.pk}/apply").json() == answer.json()
    jobs.run_to_end(job_id=answer.json()["job"])
    assert client.post(f"{ROOT}/{run.pk}/apply").json() == {"job": None}
    assert client.get(f"{ROOT}/{run.pk}").json()["current"]
    assert client.post(f"{ROOT}/{run.pk}/drop").json()["code"] == "not_a_preview"
    jobs.run_to_end(job_id=client.post(f"{ROOT}/{first.pk}/apply").json()["job"])
    assert who() == before


def test_starting_and_dropping(client_of: Callable[..., APIClient]) -> None:
    client = client_of("data_engineer")
    assert client.post(ROOT).json()["code"] == "nothing_ingested"
    world = make_world(4)
    assert client.post(ROOT, {"preview": True}, format="json").status_code == 202
    assert client.post(ROOT).status_code == 202
    assert list(Job.objects.order_by("pk").values_list("params", flat=True)) == [
        {"space": world.space.pk, "preview": True},
        {"space": world.space.pk},
    ]
    run = run_clustering(space=world.space, settings=THRESHOLDS, preview=True)
    assert client.get(f"{ROOT}/{run.pk}/difference").json()["code"] == "nothing_to_compare"
    for _ in range(2):
        assert client.post(f"{ROOT}/{run.pk}/drop").json()["state"] == "dropped"
    assert client.post(f"{ROOT}/{run.pk}/apply").json()["code"] == "run_dropped"
    assert client.get(f"{ROOT}/999999").json()["code"] == "no_run"


def test_a_preview_with_settings(client_of: Callable[..., APIClient]) -> None:
    world = make_world(4)
    client = client_of("data_engineer")

    def start(body: dict[str, Any]) -> Any:
        return client.post(ROOT, body, format="json")

    for settings in ({"core_distance": 2}, {"merge_similarity": "x"}, {"joins": "perhaps"}, {"min_size": 3}, [1]):
        answer = start({"preview": True, "settings": settings})
        assert answer.status_code == 400, answer.content
        assert all(name.startswith("settings") for name in answer.json()["errors"]), answer.content
    assert start({"settings": {"joins": False}}).json()["code"] == "preview_only"
    chosen = {"core_distance": 0.4, "merge_similarity": None, "joins": False}
    assert start({"preview": True, "settings": chosen}).status_code == 202
    assert Job.objects.get().params == {"space": world.space.pk, "preview": True, "settings": chosen}
    other = start({"preview": True})
    assert (other.status_code, other.json()["code"]) == (409, "preview_running")
