"""The annotators' pages and their REST twins: figures against plain counting, and who may see whom."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from statistics import median

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from sklearn.metrics import cohen_kappa_score

from accounts.models import User
from accounts.roles import Role
from annotation.services.decisions import decide
from mining.annotators import agreements, batch_agreements, find_annotator, seconds_histogram
from mining.models import ReviewBatch, ReviewVote
from mining.services.answers import cast_vote, withdraw_vote
from mining.services.error_models import refresh_error_models
from tests.factories import World

SAID = {"annotator": "sdsdsd", "data_engineer": "sdssds", "manager": "ddsdsd"}  # answers to six questions
TOOK = {"annotator": (1, 2, 3, 4, 5, 600), "data_engineer": (2,) * 6, "manager": (4,) * 6}
ANSWERS = {"s": "same", "d": "different"}


@pytest.fixture
def batch(users: dict[str, User], world: World) -> ReviewBatch:
    """Six questions that three people answered; three of them with known answers."""
    made = ReviewBatch.objects.create(strategy="pairs_near_threshold", overlap=3)
    anna, bertil = (
        cluster.members.values_list("face_id", flat=True).order_by("face_id") for cluster in world.clusters[:2]
    )
    for person, faces in zip(world.people, (anna, bertil), strict=False):
        decide(user=users["algorithm_engineer"], kind="assign", faces=list(faces), identity=person.pk)
    pairs = [(a, b) for a, b in itertools.product(anna[:3], bertil[:2])]
    for n, pair in enumerate(pairs):
        made.items.create(ordinal=n, faces=list(pair), value=1.0, settles=1, why="w", gold="different" if n < 3 else "")
    for name, said in SAID.items():
        for item, answer, seconds in zip(made.items.order_by("ordinal"), said, TOOK[name], strict=True):
            cast_vote(user=users[name], item_id=item.pk, answer=ANSWERS[answer], seconds=seconds)
    return made


def test_figures_are_as_counted_by_hand(users: dict[str, User], batch: ReviewBatch) -> None:
    refresh_error_models()
    found = find_annotator(users["manager"], users["annotator"].pk)
    assert (found.answers, found.skipped) == (6, 0)
    assert found.median_seconds == median((1, 2, 3, 4, 5))  # nobody takes ten minutes for a pair
    assert found.per_hour == pytest.approx(3600 * 5 / 15)
    assert (found.known.right, found.known.wrong) == (1, 2)
    assert 0 < found.known.low < 1 / 3 < found.known.high < 1
    assert seconds_histogram(users["data_engineer"].pk, bins=30, most=30.0)[2] == 6
    for one in agreements(users["manager"]):
        first, second = (SAID[User.objects.get(pk=user).username] for user in (one.user, one.other))
        assert one.kappa == pytest.approx(cohen_kappa_score(list(first), list(second)))
        assert one.shared == 6
    assert len(agreements(users["manager"])) == 3
    [fleiss] = batch_agreements()
    assert fleiss.batch == batch and fleiss.questions == 6 and fleiss.kappa is not None and -1 <= fleiss.kappa < 1


def test_a_single_answer_moves_nothing_that_hangs_on_known_answers(users: dict[str, User], batch: ReviewBatch) -> None:
    refresh_error_models()
    anna = users["annotator"]
    before = find_annotator(anna, anna.pk)
    vote = ReviewVote.objects.get(user=anna, item=batch.items.get(ordinal=0))
    withdraw_vote(user=anna, vote_id=vote.pk)
    after = find_annotator(anna, anna.pk)
    assert (after.known, after.models, after.answers) == (before.known, before.models, before.answers - 1)


def test_people_see_themselves_and_engineers_everybody(
    as_role: Callable[[str], Client], users: dict[str, User], batch: ReviewBatch
) -> None:
    for role, other in itertools.product(Role.values, Role.values):
        allowed = role == other or role != "annotator"
        if other == "algorithm_engineer" and role != other:
            allowed = False  # who never answered is no annotator to others
        answer = as_role(role).get(reverse("ui:annotator", args=[users[other].pk]))
        assert answer.status_code == (200 if allowed else 404), (role, other)
    own = as_role("annotator").get(reverse("ui:annotators"))
    assert b"Your answers" in own.content
    listed = as_role("annotator").get("/api/v1/annotators").json()["annotators"]
    assert [one["username"] for one in listed] == ["annotator"]
    names = [one["username"] for one in as_role("data_engineer").get("/api/v1/annotators").json()["annotators"]]
    assert names == ["annotator", "data_engineer", "manager"]


def test_the_interface_tells_me_about_me(as_role: Callable[[str], Client], batch: ReviewBatch) -> None:
    refresh_error_models()
    me = as_role("annotator").get("/api/v1/annotators/me").json()
    assert (me["username"], me["answers"], me["known"]["right"]) == ("annotator", 6, 1)
    assert {one["shared"] for one in me["agreements"]} == {6} and len(me["agreements"]) == 2
    [model] = me["error_models"]
    assert model["asks"] == "pair" and sum(model["errors"]["same"].values()) == pytest.approx(1)


def test_a_page_costs_the_same_however_many_answered(
    as_role: Callable[[str], Client], users: dict[str, User], batch: ReviewBatch
) -> None:
    client = as_role("manager")
    address = reverse("ui:annotator", args=[users["annotator"].pk])

    def cost() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address).status_code == 200
        return len(caught)

    refresh_error_models()
    first = cost()
    faces = batch.items.get(ordinal=0).faces
    for n in range(6, 12):
        item = batch.items.create(ordinal=n, faces=[faces[0], faces[1] + n], value=1.0, settles=1, why="w")
        for name in SAID:
            ReviewVote.objects.create(item=item, user=users[name], answer="same")
    assert cost() == first <= 15
