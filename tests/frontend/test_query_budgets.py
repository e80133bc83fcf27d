"""N objects and 2N objects cost the same number of queries on every list and every page of one object."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from annotation.services.decisions import decide
from mining.models import ReviewBatch, ReviewItem
from tests.factories import World, make_world

LISTS = [
    "dashboard",
    "photos",
    "people",
    "clusters",
    "review",
    "annotators",
    "ledger",
    "jobs",
    "rounds",
    "datasets",
    "models",
    "users",
]


def count(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


def add_rows(user: User, world: World) -> None:
    """Decisions and questions, which the world does not bring."""
    faces = [face.pk for face in world.faces[:2]]
    decide(user=user, kind="assign", faces=faces, identity=world.people[0].pk)
    decide(user=user, kind="different", faces=faces[:1], others=faces[1:])
    batch = ReviewBatch.objects.create(strategy="threshold_pairs", run=world.run)
    ReviewItem.objects.create(
        batch=batch, ordinal=0, faces=faces, identities=[world.people[0].pk], value=1.0, settles=2, why="near"
    )


@pytest.mark.parametrize("page", LISTS)
def test_lists_cost_the_same_for_twice_as_much(
    as_role: Callable[[str], Client], users: dict[str, User], page: str
) -> None:
    client = as_role("manager")
    add_rows(users["annotator"], make_world([4, 3, 2], names=["Anna"]))
    first = count(client, reverse(f"ui:{page}"))
    add_rows(users["annotator"], make_world([5, 4, 3, 3, 2, 2], names=["Bo", "Cid"], seed=8))
    assert count(client, reverse(f"ui:{page}")) == first
    assert first <= 25


def test_a_cluster_a_person_and_a_batch_cost_the_same_for_twice_as_much(
    as_role: Callable[[str], Client], users: dict[str, User]
) -> None:
    client = as_role("manager")
    costs = []
    for size, seed in ((6, 7), (12, 8)):
        world = make_world([size, size], names=["Anna", "Bo"], seed=seed)
        batch = ReviewBatch.objects.create(strategy="label_suspects", asks="suspect", run=world.run)
        for n in range(size - 1):
            ReviewItem.objects.create(
                batch=batch,
                ordinal=n,
                faces=[world.faces[n].pk, world.faces[n + 1].pk],
                identities=[person.pk for person in world.people],
                value=1.0,
                settles=1,
                why="near",
            )
        costs.append(
            [
                count(client, reverse("ui:cluster", args=[world.clusters[0].pk])),
                count(client, reverse("ui:person", args=[world.people[0].pk])),
                count(client, reverse("ui:batch", args=[batch.pk])),
                count(client, reverse("ui:photo", args=[world.photos[0].pk])),
            ]
        )
    assert costs[0] == costs[1]
    assert max(costs[0]) <= 15


def test_one_crop_costs_three_queries(as_role: Callable[[str], Client], world: World) -> None:
    client = as_role("data_engineer")
    with CaptureQueriesContext(connection) as caught:
        assert client.get(reverse("ui:crop", args=[world.faces[0].pk])).status_code == 200
    assert len(caught) == 3  # session, user, crop
