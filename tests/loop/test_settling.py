"""Rounds that go on until labels stop changing."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.services import create_token, create_user
from foundation.errors import InvalidInput
from jobs.models import Job
from loop import services
from loop.models import Round
from loop.settling import UNTIL, change_of, checked_until, has_settled, next_parameters
from tests.factories import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: Any) -> None:
    make_world([4, 3])


def labels(moved: int, known: int = 1000) -> dict[str, Any]:
    return {"result": {"run": 1, "labels": {"moved": moved, "known": known}}}


def end(round: Round, moved: int) -> dict[str, Any]:
    """The round's stages have come to their end, and its last clustering has moved so many of 1,000 labels."""
    Round.objects.filter(pk=round.pk).update(stages={"recluster": labels(moved), "measure": {"result": {}}})
    assert round.job is not None
    return services.finish_round(round_id=round.pk, job=round.job)


@pytest.mark.parametrize(
    "given", [{"rounds": 0}, {"rounds": 51}, {"rounds": True}, {"rounds": "3"}, {"share": 0}, {"share": 1.5},
              {"share": float("nan")}, {"share": True}, {"most": 3}, 5, [3]]
)  # fmt: skip
def test_senseless_wishes_are_refused(given: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_until(given)
    assert caught.value.code == "bad_until_settled"


def test_rounds_go_on_until_labels_settle(world: None) -> None:
    first = services.start_round(parameters={"mining_budget": 7, UNTIL: {"rounds": 4}})
    assert first.parameters[UNTIL] == {"rounds": 4, "share": None}
    result = end(first, 300)
    second = Round.objects.get(number=2)
    assert result == {"round": 1, "promoted": None, "settled": False, "next_job": second.job_id}
    assert second.parameters == {"mining_budget": 7, UNTIL: {"rounds": 3, "share": None}}
    assert end(second, 4) == {"round": 2, "promoted": None, "settled": True, "next_job": None}
    assert Round.objects.count() == 2


def test_finishing_twice_starts_one_round(world: None) -> None:
    first = services.start_round(parameters={UNTIL: {"rounds": 4}})
    end(first, 300)
    assert end(first, 300)["next_job"] is None
    assert Round.objects.count() == 2 and Job.objects.filter(kind="round").count() == 2


def test_rounds_end_at_the_most_and_where_nobody_asked_for_more(world: None) -> None:
    for parameters in ({UNTIL: {"rounds": 1}}, {}, {UNTIL: {"rounds": 3, "share": 0.5}}):
        made = services.start_round(parameters=parameters)
        assert end(made, 300)["next_job"] is None
    assert has_settled(Round.objects.get(number=3)) and not has_settled(Round.objects.get(number=2))


def test_an_abandoned_or_unfinished_round_has_no_successor(world: None) -> None:
    made = services.start_round(parameters={UNTIL: {"rounds": 4}})
    assert made.job is not None
    assert services.finish_round(round_id=made.pk, job=made.job)["next_job"] is None
    assert Round.objects.get().finished_at is None
    services.abandon_round(round_id=made.pk)
    assert end(made, 300)["next_job"] is None and Round.objects.count() == 1


def test_the_last_clustering_of_a_round_counts() -> None:
    round = Round(number=1, stages={"cluster": labels(5)})
    assert (found := change_of(round)) is not None and found.moved == 5
    round.stages["recluster"] = {"job": 7}
    assert (found := change_of(round)) is not None and found.moved == 5
    round.stages["recluster"] = {"result": {"skipped": "nothing was promoted"}}
    assert (found := change_of(round)) is not None and found.moved == 5
    round.stages["recluster"] = labels(2)
    assert (found := change_of(round)) is not None and found.moved == 2
    assert change_of(Round(number=1, stages={"cluster": {"result": {"run": 1}}})) is None
    assert change_of(Round(number=1)) is None
    # Nothing is known, so nothing has settled.
    assert next_parameters(Round(number=1, parameters={UNTIL: {"rounds": 2, "share": None}})) is not None


def test_rest_takes_the_wish_and_tells_the_share(world: None) -> None:
    _, secret = create_token(user=create_user(username="d", role="data_engineer"), name="test", scopes=None)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")

    def start(until: Any) -> Any:
        return client.post("/api/v1/rounds", {"parameters": {UNTIL: until}}, format="json")

    refused = start({"rounds": 99})
    assert refused.status_code == 400 and "from 1 to 50" in refused.content.decode()
    made = start({"rounds": 3, "share": 0.02})
    assert made.status_code == 202 and made.json()["parameters"] == {UNTIL: {"rounds": 3, "share": 0.02}}
    assert made.json()["labels_changed"] is None
    end(Round.objects.get(), 30)
    assert client.get("/api/v1/rounds/1").json()["labels_changed"] == 0.03
