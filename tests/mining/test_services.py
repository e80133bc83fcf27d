"""Mining runs over a labelled pool, and answers that end in the ledger."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from annotation.models import Decision, Identity
from annotation.services.labels import refresh_labels
from foundation.errors import Conflict, InvalidInput, LoupeError, NotFound
from jobs import services as jobs
from jobs.models import Job, JobState
from mining.models import ReviewBatch, ReviewItem
from mining.queries import batch_by_id, items_of
from mining.services import answer_item, lease_items, skip_item, start_mining
from tests.annotation.decisions.world import World, make_world, user, who

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """Two people who may be one, a third, and a face that sits with the third but is like the first."""
    made = make_world()
    rng = np.random.default_rng(1)

    def around(centre: np.ndarray[Any, Any], n: int) -> np.ndarray[Any, Any]:
        return centre + rng.normal(0, 0.015, (n, 32))

    made.people.append(made.add_faces(around(made.direction((0, 1.0)), 6)))
    made.people.append(made.add_faces(around(made.direction((0, 1.0), (1, 1.5)), 4)))
    made.people.append(made.add_faces(around(made.direction((2, 1.0)), 5)))
    made.people.append(made.add_faces(around(made.direction((0, 1.0), (3, 0.8)), 1)))
    made.cluster(core_distance=0.1, merge_similarity=0.62)
    return made


def mine(**params: Any) -> Job:
    job = start_mining(user=user("digger", role="data_engineer"), **params)
    return jobs.run_to_end(job_id=job.pk)


def questions(strategy: str) -> list[ReviewItem]:
    return list(items_of(ReviewBatch.objects.filter(strategy=strategy).latest("id")))


def test_a_run_stores_ranked_questions_per_strategy(world: World) -> None:
    job = mine(budget=5)
    assert job.state == JobState.FINISHED, job.error
    assert set(job.result["questions"]) == {"pairs_near_threshold", "label_suspects"}
    pairs = questions("pairs_near_threshold")
    assert [item.ordinal for item in pairs] == list(range(len(pairs))) and pairs
    values = [item.value for item in pairs]
    assert values == sorted(values, reverse=True)
    batch = batch_by_id(pairs[0].batch_id)
    assert (batch.job_id, batch.created_by.username, batch.run.current) == (job.pk, "digger", True)
    assert (batch.total, batch.open_items) == (len(pairs), len(pairs))
    assert batch.report["picked"] == len(pairs)
    labels = who()
    first = pairs[0]
    assert set(first.identities) == {labels[world.people[0][0]], labels[world.people[1][0]]}
    assert first.settles == 4 and "would join them" in first.why


def test_what_is_open_or_answered_is_not_mined_again(world: World) -> None:
    mine()
    before = {tuple(item.faces) for item in ReviewItem.objects.all()}
    job = jobs.run_to_end(job_id=jobs.enqueue(kind="mine", params={"strategies": None, "budget": 9}).pk)
    again = {tuple(item.faces) for item in ReviewItem.objects.filter(batch__job=job)}
    assert before and not before & again


def test_same_merges_two_people_and_closes_the_question(world: World) -> None:
    mine()
    item = questions("pairs_near_threshold")[0]
    made = answer_item(user=user(), item_id=item.pk, answer="same", seconds=2)
    assert [decision.kind for decision in made] == ["same", "merge"]
    assert made[0].evidence["item"] == item.pk and made[0].seconds == 2
    item.refresh_from_db()
    assert (item.state, item.decision_id) == ("answered", made[0].pk)
    refresh_labels()
    labels = who()
    assert {labels[face] for face in world.people[0] + world.people[1]} == {labels[world.people[0][0]]}
    with pytest.raises(Conflict) as closed:
        answer_item(user=user("bea"), item_id=item.pk, answer="same")
    assert closed.value.code == "item_closed"


def test_different_keeps_them_apart(world: World) -> None:
    mine()
    item = questions("pairs_near_threshold")[0]
    [decision] = answer_item(user=user(), item_id=item.pk, answer="different")
    assert (decision.kind, decision.faces, decision.others) == ("different", item.faces[:1], item.faces[1:])
    labels = world.cluster(core_distance=1.0, merge_similarity=0.0)
    assert labels[item.faces[0]] != labels[item.faces[1]]


@pytest.mark.parametrize(
    ("answer", "kinds"), [("left", ["assign"]), ("right", ["split", "assign"]), ("neither", ["reject"] * 2)]
)
def test_answers_about_a_suspect(world: World, answer: str, kinds: list[str]) -> None:
    [stray] = world.people[3]
    own, other = who()[world.people[2][0]], who()[world.people[0][0]]
    from annotation.models import Label

    Label.objects.filter(face=stray).update(identity=own, reason="")
    mine()
    item = questions("label_suspects")[0]
    assert item.faces[0] == stray and item.identities == [own, other]
    assert item.why.endswith(f"to its own, person {own}.")
    made = answer_item(user=user(), item_id=item.pk, answer=answer)
    assert [decision.kind for decision in made] == kinds
    labels = world.cluster()
    assert labels[stray] == own if answer == "left" else labels[stray] == other if answer == "right" else True
    if answer == "neither":
        assert labels[stray] not in (own, other)


def test_leases_keep_people_out_of_each_others_way(world: World) -> None:
    mine()
    batch = questions("pairs_near_threshold")[0].batch_id
    anna, bea = user("anna"), user("bea")
    mine_now = lease_items(user=anna, batch_id=batch, count=1)
    assert len(mine_now) == 1
    hers = lease_items(user=bea, batch_id=batch, count=100)
    assert not {item.pk for item in mine_now} & {item.pk for item in hers}
    assert lease_items(user=anna, batch_id=batch, count=1) == mine_now
    with pytest.raises(Conflict) as leased:
        skip_item(user=bea, item_id=mine_now[0].pk)
    assert leased.value.code == "item_leased"
    assert skip_item(user=anna, item_id=mine_now[0].pk).state == "skipped"


@pytest.mark.parametrize(
    ("params", "code"), [({"strategies": ["x"]}, "unknown_strategy"), ({"budget": -1}, "bad_budget")]
)
def test_bad_runs_are_refused(world: World, params: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        start_mining(user=None, **params)
    assert refused.value.code == code


def test_bad_answers_are_refused_and_write_nothing(world: World) -> None:
    mine()
    item = questions("pairs_near_threshold")[0]
    for item_id, answer, error in ((item.pk, "left", InvalidInput), (10**9, "same", NotFound)):
        with pytest.raises(error):
            answer_item(user=user(f"u{item_id}"), item_id=item_id, answer=answer)
    assert not Decision.objects.exists()


def test_nothing_can_be_mined_before_a_clustering() -> None:
    make_world(2)
    with pytest.raises(LoupeError) as refused:
        start_mining(user=None)
    assert refused.value.code == "nothing_clustered"
    assert not Identity.objects.exists()
