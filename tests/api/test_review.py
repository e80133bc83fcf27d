"""Mining and its questions over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from annotation.models import Decision
from jobs.models import Job
from mining.models import ReviewBatch, ReviewItem

ClientOf = Callable[..., APIClient]


@pytest.fixture
def batch(pool: Any) -> ReviewBatch:
    """Three questions about pairs of two people."""
    made = ReviewBatch.objects.create(strategy="pairs_near_threshold", report={"picked": 3})
    first, second, _ = pool.world.people
    ReviewItem.objects.bulk_create(
        ReviewItem(batch=made, ordinal=n, faces=[first[n], second[n]], value=3 - n, settles=2, why="0.7 alike")
        for n in range(3)
    )
    return made


def test_a_mining_run_is_a_job(client_of: ClientOf, pool: Any) -> None:
    client = client_of("data_engineer")
    answer = client.post("/api/v1/mining-runs", {"strategies": ["label_suspects"], "budget": 5})
    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["job"])
    assert (job.kind, job.params["strategies"], job.params["budget"]) == ("mine", ["label_suspects"], 5)
    for body in ({"strategies": ["odd"]}, {"strategies": []}, {"budget": -1}, {"budget": 10**9}):
        assert client.post("/api/v1/mining-runs", body).status_code == 400


def test_mining_before_anything_was_clustered(client_of: ClientOf) -> None:
    answer = client_of("data_engineer").post("/api/v1/mining-runs", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_clustered")


def test_questions_are_leased_answered_and_skipped(client_of: ClientOf, batch: ReviewBatch) -> None:
    client, other = client_of("annotator"), client_of("manager")
    (listed,) = client.get("/api/v1/review/batches").json()["results"]
    assert (listed["id"], listed["total"], listed["open_items"]) == (batch.pk, 3, 3)
    items = client.get(f"/api/v1/review/batches/{batch.pk}/items").json()["results"]
    assert [item["ordinal"] for item in items] == [0, 1, 2]
    mine = client.post(f"/api/v1/review/batches/{batch.pk}/lease", {"count": 2}).json()["items"]
    theirs = other.post(f"/api/v1/review/batches/{batch.pk}/lease", {}).json()["items"]
    assert [[item["ordinal"] for item in some] for some in (mine, theirs)] == [[0, 1], [2]]
    taken = other.post(f"/api/v1/review/items/{mine[0]['id']}/answer", {"answer": "different"})
    assert (taken.status_code, taken.json()["code"]) == (409, "item_leased")
    said = client.post(f"/api/v1/review/items/{mine[0]['id']}/answer", {"answer": "different", "seconds": 2})
    assert said.status_code == 201
    vote = said.json()["vote"]
    assert said.json() == {
        "vote": vote,
        "item": mine[0]["id"],
        "answer": "different",
        "payload": {},
        "state": "answered",
    }
    decision = Decision.objects.get()
    assert (decision.kind, decision.faces + decision.others, decision.seconds) == ("different", mine[0]["faces"], 2)
    skipped = client.post(f"/api/v1/review/items/{mine[1]['id']}/skip")
    assert (skipped.status_code, skipped.json()["state"]) == (200, "open")
    for item, code in zip(mine, ("item_closed", "already_answered"), strict=True):
        again = client.post(f"/api/v1/review/items/{item['id']}/answer", {"answer": "same"})
        assert (again.status_code, again.json()["code"]) == (409, code)
    odd = other.post(f"/api/v1/review/items/{theirs[0]['id']}/answer", {"answer": "left"})
    assert (odd.status_code, odd.json()["code"]) == (400, "unknown_answer")
    assert client.get("/api/v1/review/batches").json()["results"][0]["open_items"] == 2


def test_an_answer_is_taken_back_by_its_vote(client_of: ClientOf, batch: ReviewBatch) -> None:
    client, other = client_of("annotator"), client_of("manager")
    item = batch.items.earliest("ordinal")
    vote = client.post(f"/api/v1/review/items/{item.pk}/answer", {"answer": "different"}).json()["vote"]
    refused = other.post(f"/api/v1/review/votes/{vote}/withdraw")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_vote")
    back = client.post(f"/api/v1/review/votes/{vote}/withdraw")
    assert (back.status_code, back.json()["state"]) == (200, "open")
    assert list(Decision.objects.order_by("id").values_list("kind", flat=True)) == ["different", "revert"]
    twice = client.post(f"/api/v1/review/votes/{vote}/withdraw")
    assert (twice.status_code, twice.json()["code"]) == (409, "already_withdrawn")
    assert other.post(f"/api/v1/review/items/{item.pk}/answer", {"answer": "same"}).json()["code"] == "item_leased"
    again = client.post(f"/api/v1/review/items/{item.pk}/answer", {"answer": "different"})
    assert again.status_code == 201 and again.json()["vote"] > vote
    assert client.post("/api/v1/review/votes/999999/withdraw").json()["code"] == "no_vote"


def test_several_are_answered_as_one_and_each_that_is_refused_says_why(client_of: ClientOf, batch: ReviewBatch) -> None:
    client, other = client_of("annotator"), client_of("manager")
    first, second, third = batch.items.order_by("ordinal")
    taken = other.post(f"/api/v1/review/batches/{batch.pk}/lease", {"items": [second.pk]}).json()["items"]
    assert [item["id"] for item in taken] == [second.pk]
    body = {
        "answers": [
            {"item": third.pk, "answer": "skip"},
            {"item": second.pk, "answer": "same", "seconds": 1},
            {"item": first.pk, "answer": "different", "seconds": 1.5},
            {"item": 999_999, "answer": "same"},
        ]
    }
    sent = {"data": body, "headers": {"Idempotency-Key": "once"}, "format": "json"}
    results = client.post("/api/v1/review/answers", **sent).json()["results"]
    assert client.post("/api/v1/review/answers", **sent).json()["results"] == results
    assert [one["number"] for one in results] == [third.pk, second.pk, first.pk, 999_999]
    assert [one["vote"] and one["vote"]["state"] for one in results] == ["open", None, "answered", None]
    assert [one["refused"] and one["refused"]["code"] for one in results] == [None, "item_leased", None, "no_item"]
    assert results[1]["refused"]["detail"] == "Somebody else is answering this question."
    assert [(one.kind, one.seconds) for one in Decision.objects.all()] == [("different", 1.5)]
    votes = [one["vote"]["vote"] for one in results if one["vote"]]
    back = client.post("/api/v1/review/withdrawals", {"votes": [*votes, votes[0]]}, format="json").json()["results"]
    assert [one["vote"]["state"] for one in back] == ["open"] * 3 and not any(one["refused"] for one in back)
    assert other.post("/api/v1/review/withdrawals", {"votes": votes}).json()["results"][0]["refused"] is not None
    assert list(Decision.objects.order_by("id").values_list("kind", flat=True)) == ["different", "revert"]
    for odd in ({"answers": []}, {"answers": body["answers"][:1] * 2}, {"answers": [{"item": 0, "answer": "same"}]}):
        assert client.post("/api/v1/review/answers", odd, format="json").status_code == 400


def test_no_field_tells_a_question_whose_answer_is_known(client_of: ClientOf, batch: ReviewBatch) -> None:
    """Two questions alike but for that: every answer of the interface has the same shape and state."""
    known, usual, _ = batch.items.order_by("ordinal")
    ReviewItem.objects.filter(pk=known.pk).update(gold="same")
    client = client_of("annotator")
    seen = []
    for item in (known, usual):
        listed = client.get(f"/api/v1/review/batches/{batch.pk}/items").json()["results"][item.ordinal]
        leased = client.post(f"/api/v1/review/batches/{batch.pk}/lease", {"count": 1}).json()["items"][0]
        odd = client.post(f"/api/v1/review/items/{item.pk}/answer", {"answer": "left"})
        said = client.post(f"/api/v1/review/items/{item.pk}/answer", {"answer": "different"})
        after = client.get(f"/api/v1/review/batches/{batch.pk}/items").json()["results"][item.ordinal]
        back = client.post(f"/api/v1/review/votes/{said.json()['vote']}/withdraw")
        client.post(f"/api/v1/review/items/{item.pk}/answer", {"answer": "same"})
        answers = [listed, leased, odd.json(), said.json(), after, back.json()]
        seen.append([{name: (type(v), v if name == "state" else 0) for name, v in one.items()} for one in answers])
    assert seen[0] == seen[1]
    assert not {entry.evidence["item"] for entry in Decision.objects.all()} & {known.pk}
