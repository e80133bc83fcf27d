"""Which pairs come on one board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mining.models import ReviewBatch
from mining.review_pages import BOARD, list_boards
from tests.factories import World, make_users, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world([2] * 30)


def make_pairs(world: World, people: Sequence[tuple[int, int]], noted: Sequence[Any]) -> ReviewBatch:
    batch = ReviewBatch.objects.create(strategy="made", asks="pair", run=world.run)
    for n, ((a, b), same) in enumerate(zip(people, noted, strict=True)):
        who = [world.people[a].pk, world.people[b].pk]
        faces, evidence = [world.faces[2 * a].pk, world.faces[2 * b].pk], {} if same is None else {"same": same}
        batch.items.create(ordinal=n, faces=faces, identities=who, value=99 - n, settles=1, why="", evidence=evidence)
    return batch


def seen(batch: ReviewBatch) -> list[tuple[str, list[int]]]:
    boards = list_boards(batch, user_id=make_users()["annotator"].pk)
    return [(board.expected, [one.item.ordinal for one in board.questions]) for board in boards]


def test_pairs_stand_beside_pairs_of_the_same_expectation_by_one_model_or_by_two(world: World) -> None:
    noted = [0.1, 0.9, [0.9, 0.2], [0.6, 0.1], None, 0.5]
    batch = make_pairs(world, [(2 * n, 2 * n + 1) for n in range(6)], noted)
    assert seen(batch) == [("different", [0, 3, 4]), ("same", [1, 2, 5])]


def test_pairs_of_different_people_come_together_and_others_fill_the_board(world: World) -> None:
    again = [(0, n) for n in range(1, 11)]  # ten about the first person
    apart = [(2 * n + 11, 2 * n + 12) for n in range(9)]
    batch = make_pairs(world, again + apart, [0.9] * 19)
    first, second = seen(batch)
    assert first == ("same", [0, *range(10, 19), 1, 2]) and len(first[1]) == BOARD
    assert second == ("same", list(range(3, 10)))
