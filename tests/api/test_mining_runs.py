"""Mining runs over REST: started with options, listed, and told what their answers changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs import services as jobs
from jobs.models import Job
from mining.models import ReviewBatch, ReviewItem
from mining.services.answers import answer_item
from mining.services.runs import start_mining
from mining.strategies import STRATEGIES, USUAL
from tests.annotation.decisions.world import user

ClientOf = Callable[..., APIClient]
RUNS = "/api/v1/mining-runs"
NONE = dict.fromkeys(ReviewItem.State.values, 0)


@pytest.fixture
def run(pool: Any) -> Job:
    """A run that found nothing, with two questions put in by hand."""
    job = jobs.run_to_end(job_id=start_mining(user=None, strategies=["label_suspects", "merges"], gold=0).pk)
    batch = ReviewBatch.objects.get(job=job, strategy="label_suspects")
    batch.asks, batch.report = "pair", {"considered": 9, "candidates": 4, "picked": 2, "reasons": {"odd": 2}}
    batch.save()
    first, second, _ = pool.world.people
    for n in range(2):
        batch.items.create(ordinal=n, faces=[first[n], second[n]], value=3 - n, settles=len(first), why="0.7 alike")
    return job


def test_a_run_takes_options_by_strategy(client_of: ClientOf, pool: Any) -> None:
    client = client_of("data_engineer")
    body = {"strategies": ["rare_identities"], "options": {"rare_identities": {"faces": [1, 2]}}}
    answer = client.post(RUNS, body)
    assert answer.status_code == 202
    assert Job.objects.get(pk=answer.json()["job"]).params["options"]["rare_identities"]["faces"] == [1, 2]
    for options, code in (
        ({"rare_identities": {"faces": [2, 1]}}, "bad_option"),
        ({"rare_identities": {"faces": "two"}}, "bad_option"),
        ({"rare_identities": {"size": 2}}, "unknown_option"),
        ({"merges": {}}, "unknown_option"),
        ({"rare_identities": 3}, "bad_option"),
        ([1], "bad_option"),
    ):
        refused = client.post(RUNS, {**body, "options": options})
        assert (refused.status_code, refused.json()["code"]) == (400, code), refused.json()
    told = client.post(RUNS, {**body, "options": {"rare_identities": {"faces": [2, 1]}}}).json()["detail"]
    assert told == "The option faces of rare_identities: the range 2..1 is reversed."


def test_strategies_are_listed_with_what_can_be_told_them(client_of: ClientOf) -> None:
    found = client_of("data_engineer").get("/api/v1/mining-strategies").json()["strategies"]
    assert {one["name"] for one in found} == set(STRATEGIES)
    assert {one["name"] for one in found if one["usual"]} == set(USUAL)
    rare = next(one for one in found if one["name"] == "rare_identities")
    assert rare["options"][0]["name"] == "faces" and rare["options"][0]["default"] == [1, 3]
    assert all(one["about"] and one["seconds"] > 0 and one["title"] for one in found)


def test_the_schema_names_every_option(client_of: ClientOf) -> None:
    schema = client_of("data_engineer").get("/api/v1/schema?format=json").json()
    options = schema["components"]["schemas"]["NewMiningRequest"]["properties"]["options"]["properties"]
    assert set(options["rare_identities"]["properties"]) == {"faces", "candidates"}
    faces = options["rare_identities"]["properties"]["faces"]
    assert faces["default"] == [1, 3] and faces["items"] == {"type": "integer", "minimum": 1, "maximum": 100}
    assert options["blocked_merges"]["properties"]["by"]["enum"] == ["any", "photo", "decision"]


def test_a_run_tells_how_far_people_are_and_what_they_changed(client_of: ClientOf, run: Job, pool: Any) -> None:
    client = client_of("data_engineer")
    (listed,) = client.get(RUNS).json()["results"]
    assert (listed["id"], listed["questions"]) == (run.pk, 2)
    assert listed["states"] == {**NONE, "open": 2}
    assert listed["considered"] >= 9 and listed["reasons"] == {"odd": 2} and listed["minutes_left"] > 0
    before = client.get(f"{RUNS}/{run.pk}").json()
    assert before["changed"]["labels"]["decisions"] == 0 and before["changed"]["purity"]["after"] is None
    item = ReviewItem.objects.filter(batch__job=run).earliest("ordinal")
    answer_item(user=user("sorter"), item_id=item.pk, answer="same", seconds=2)
    after = client.get(f"{RUNS}/{run.pk}").json()
    assert after["states"] == {**NONE, "open": 1, "answered": 1} and after["picked"][0]["states"] == after["states"]
    changed = after["changed"]["labels"]
    assert (changed["joined"], changed["moved"], changed["apart"]) == (1, item.settles, 0)
    missing = client.get(f"{RUNS}/999999")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_mining_run")


def test_a_list_of_runs_costs_the_same_for_more(client_of: ClientOf, run: Job) -> None:
    client = client_of("data_engineer")
    client.get(RUNS)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as caught:
            assert client.get(RUNS).status_code == 200
        counts.append(len(caught))
        for _ in range(3):
            jobs.run_to_end(job_id=start_mining(user=None, gold=0).pk)
    assert counts[0] == counts[1] <= 12
