"""Known grids and rows on their way through pages and REST: as any other question, and nothing is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from annotation.models import Constraint, Decision, Identity, Label
from annotation.services.decisions import decide
from jobs.models import Job
from mining.models import ErrorModel, ReviewBatch, ReviewItem, ReviewVote
from mining.services.error_models import KIND as ERROR_MODELS
from mining.services.error_models import refresh_error_models
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: Any, users: dict[str, User]) -> World:
    """Anna and Bertil, decided; a third person without a name, undecided."""
    made = make_world([6, 6, 6], names=["Anna", "Bertil"])
    for number in (0, 1):
        decide(user=users["manager"], kind="assign", faces=faces_of(made, number), identity=made.people[number].pk)
    return made


def faces_of(world: World, number: int) -> list[int]:
    return sorted(world.clusters[number].members.values_list("face_id", flat=True))


def grid(world: World, faces: list[int], out: list[int], *, nameless: bool = True) -> dict[str, Any]:
    return {
        "grid": [[face, 0.4 + at / 10, False] for at, face in enumerate(faces)],
        "out": out,
        "person": world.people[0].pk,
        "nameless": [nameless],
        "faces": len(faces),
        "confirmed": 0,
        "medoid": faces[-1],
        "widest": [faces[0], faces[-1]],
        "proposals": [],
    }


def ask(world: World, asks: str, items: list[tuple[list[int], list[int], str, dict[str, Any]]]) -> list[ReviewItem]:
    """Of each the faces, the people, the known answer if any, and the evidence."""
    batch = ReviewBatch.objects.create(strategy=asks, asks=asks, run=world.run)
    return [
        ReviewItem.objects.create(
            batch=batch,
            ordinal=at,
            faces=faces,
            identities=people,
            value=9 - at,
            settles=6,
            why="6 faces",
            gold=gold,
            evidence=evidence,
        )
        for at, (faces, people, gold, evidence) in enumerate(items)
    ]


@pytest.fixture
def clusters(world: World) -> list[ReviewItem]:
    """A real one, one of Anna, and one of Anna with Bertil's first face."""
    real, anna, intruder = world.clusters[2], faces_of(world, 0), faces_of(world, 1)[0]
    wide = [real.widest_a_id, real.widest_b_id]
    evidence = {"cluster": real.pk, "medoid": real.medoid_id, "widest": wide, "proposals": []}
    mixed = [intruder, *anna[1:]]
    person = [world.people[0].pk]
    return ask(
        world,
        "cluster",
        [
            ([real.medoid_id, *wide], [world.people[2].pk], "", evidence),
            ([anna[-1], anna[0]], person, "same", grid(world, anna, [])),
            ([mixed[-1], mixed[0]], person, "different", grid(world, mixed, [intruder])),
        ],
    )


@pytest.fixture
def merges(world: World) -> list[ReviewItem]:
    """A real one, and two parts of Anna."""
    anna, numbers = faces_of(world, 0), [one.pk for one in world.people]
    sides = {"sides": [anna[:3], anna[3:]]}
    real = [world.clusters[2].medoid_id, world.clusters[1].medoid_id]
    return ask(
        world,
        "merge",
        [
            ([int(face or 0) for face in real], [numbers[2], numbers[1]], "", {}),
            ([anna[0], anna[3]], numbers[:1] * 2, "same", sides),
        ],
    )


def shape(html: str) -> str:
    """Without numbers, and without what comes once for each face of a row."""
    face = r"<div class=\"choice\"[^>]*><img[^>]*></div>"
    return re.sub(r"<img[^>]*>", "<img>", re.sub(f"({face})+", "<faces>", re.sub(r"\d+", "#", html)))


def test_pages_and_answers_of_the_interface_have_one_shape(
    as_role: Callable[[str], Client], clusters: list[ReviewItem], merges: list[ReviewItem]
) -> None:
    client = as_role("annotator")
    for items in (clusters, merges):
        page = client.get(reverse("ui:batch", args=[items[0].batch_id])).content.decode()
        assert "Anna" not in page and "Bertil" not in page
        articles = re.findall(r"<article.*?</article>", page, re.DOTALL)
        assert len(articles) == len(items) and len({shape(one) for one in articles}) == 1
        seen, queries = [], []
        for item in items:
            with CaptureQueriesContext(
                connection,
            ) as made:
                shown = client.get(f"/api/v1/review/items/{item.pk}/faces").json()
            queries.append(len(made))
            seen.append([shown["next"], *({name: type(v) for name, v in one.items()} for one in shown["results"][:6])])
            assert [one["side"] for one in shown["results"]] == sorted(one["side"] for one in shown["results"])
        assert all(one == seen[0] for one in seen)
        assert max(queries) - min(queries) <= 2
        listed = client.get(f"/api/v1/review/batches/{items[0].batch_id}/items").json()["results"]
        assert all(one["identities"] == [] and one.keys() == listed[0].keys() for one in listed)


def state_of_everything() -> list[Any]:
    labels = list(Label.objects.order_by("face").values_list("face", "identity", "source", "reason", "decision"))
    people = list(Identity.objects.order_by("pk").values_list("pk", "name", "merged_into", "revision"))
    constraints = list(Constraint.objects.order_by("face_a", "face_b").values_list("face_a", "face_b", "kind"))
    jobs = Job.objects.exclude(kind=ERROR_MODELS)  # which come every so many votes
    return [labels, people, constraints, Decision.objects.count(), jobs.count()]


def test_answers_to_known_questions_change_nothing_and_are_scored(
    as_role: Callable[[str], Client], world: World, clusters: list[ReviewItem], merges: list[ReviewItem]
) -> None:
    client = as_role("annotator")
    _, clean, mixed = clusters
    anna, intruder = faces_of(world, 0), faces_of(world, 1)[0]
    before = state_of_everything()
    tried: list[tuple[ReviewItem, dict[str, Any]]] = [
        (clean, {"answer": "same", "payload": {"name": "Carla", "split": [[anna[1]]], "not_faces": [anna[2]]}}),
        (clean, {"answer": "same", "payload": {"into": world.people[1].pk}}),
        (clean, {"answer": "different"}),
        (mixed, {"answer": "same"}),
        (mixed, {"answer": "same", "payload": {"rejected": [intruder]}}),
        (merges[1], {"answer": "different"}),
        (merges[1], {"answer": "same"}),
    ]
    for item, body in tried:
        said = client.post(f"/api/v1/review/items/{item.pk}/answer", body, content_type="application/json")
        assert (said.status_code, said.json()["state"]) == (201, "answered"), said.content
        assert state_of_everything() == before
        back = client.post(f"/api/v1/review/votes/{said.json()['vote']}/withdraw")
        assert (back.status_code, back.json()["state"]) == (200, "open")
    last = [tried[2], tried[4], tried[6]]
    for item, body in last:
        client.post(f"/api/v1/review/items/{item.pk}/answer", body, content_type="application/json")
    assert not ReviewVote.objects.exclude(decision=None).exists() and state_of_everything()[:4] == before[:4]
    refresh_error_models()
    learned = {model.asks: model for model in ErrorModel.objects.all()}
    assert {asks: (model.known, model.right) for asks, model in learned.items()} == {"cluster": (2, 1), "merge": (1, 1)}
    errors = learned["cluster"].errors
    assert errors["same"]["different"] > 0.15 > errors["different"]["same"]


def test_what_a_real_question_refuses_a_known_one_refuses_too(
    as_role: Callable[[str], Client], world: World, clusters: list[ReviewItem]
) -> None:
    client = as_role("annotator")
    for payload in ({"rejected": [10**8]}, {"into": 10**8}, {"rejected": "all"}, {"name": "x" * 300}):
        refused = [
            client.post(
                f"/api/v1/review/items/{item.pk}/answer",
                {"answer": "same", "payload": payload},
                content_type="application/json",
            )
            for item in clusters
        ]
        assert len({(one.status_code, one.json()["code"]) for one in refused}) == 1
        assert refused[0].status_code >= 400


def test_a_known_answer_that_people_no_longer_give_counts_for_nothing(
    as_role: Callable[[str], Client], users: dict[str, User], world: World, clusters: list[ReviewItem]
) -> None:
    client = as_role("annotator")
    client.post(
        f"/api/v1/review/items/{clusters[1].pk}/answer", {"answer": "different"}, content_type="application/json"
    )
    bertil = world.people[1].pk
    decide(user=users["manager"], kind="assign", faces=faces_of(world, 0)[:1], identity=bertil)
    refresh_error_models()
    assert not ErrorModel.objects.exclude(known=0).exists()


def test_an_answer_to_a_known_question_takes_the_steps_of_a_real_one(
    as_role: Callable[[str], Client], clusters: list[ReviewItem]
) -> None:
    client = as_role("annotator")
    steps = []
    for item in clusters:
        with CaptureQueriesContext(connection) as made:
            client.post(f"/api/v1/review/items/{item.pk}/answer", {"answer": "same"}, content_type="application/json")
        steps.append(len(made))
    assert abs(steps[1] - steps[0]) <= 8 and abs(steps[2] - steps[0]) <= 8, steps
