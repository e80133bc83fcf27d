"""Pages by keyset: all rows once, whatever the order, also while rows come and go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.models import Identity
from annotation.queries.cluster_pages import list_grid_faces
from annotation.queries.keyset import take_after
from annotation.queries.people_pages import ORDERS, complete_name
from tests.factories import make_world


def all_pages(order: tuple[str, ...], size: int) -> list[int]:
    seen: list[int] = []
    cursor = ""
    while True:
        found = take_after(Identity.objects.all(), order=order, cursor=cursor, size=size)
        seen += [row.pk for row in found.rows]
        cursor = found.cursor
        if not cursor:
            return seen


@pytest.mark.parametrize("order", ORDERS.values())
@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_every_row_comes_once_in_order(db: Any, order: tuple[str, ...], size: int) -> None:
    names = ["", "Åsa", "anna", "Anna", "", "Ödön", "日本", "b", "B", ""]
    Identity.objects.bulk_create(Identity(name=name, faces_count=n % 3) for n, name in enumerate(names))
    assert all_pages(order, size) == list(Identity.objects.order_by(*order).values_list("pk", flat=True))


def test_rows_that_appear_in_front_do_not_shift_the_next_page(db: Any) -> None:
    Identity.objects.bulk_create(Identity(faces_count=5) for _ in range(4))
    first = take_after(Identity.objects.all(), order=("-faces_count", "id"), cursor="", size=2)
    Identity.objects.create(faces_count=9)
    rest = take_after(Identity.objects.all(), order=("-faces_count", "id"), cursor=first.cursor, size=9)
    ids = [row.pk for row in (*first.rows, *rest.rows)]
    assert len(ids) == len(set(ids)) == 4


@given(st.text(max_size=40))
def test_any_other_text_is_no_cursor(text: str) -> None:
    from annotation.queries.keyset import _decode

    found = _decode(text, 2)
    assert found is None or len(found) == 2


def test_strange_cursors_start_at_the_beginning(db: Any) -> None:
    Identity.objects.bulk_create(Identity(faces_count=5) for _ in range(3))
    for cursor in ("x", "W10", "WzEsIDJd", "W251bGwsIDFd", "WyJhIiwgImIiXQ", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LCAxXQ"):
        found = take_after(Identity.objects.all(), order=("-faces_count", "id"), cursor=cursor, size=9)
        assert len(found.rows) in (0, 3)


def test_the_grid_begins_with_the_weakest_and_ends_with_the_medoid(db: Any) -> None:
    world = make_world([7])
    first = list_grid_faces(world.clusters[0], size=4)
    second = list_grid_faces(world.clusters[0], cursor=first.cursor, size=4)
    faces = [*first.rows, *second.rows]
    assert len(faces) == 7
    assert [face.similarity for face in faces] == sorted(face.similarity for face in faces)
    assert faces[-1].face == world.clusters[0].medoid_id


def test_completion_offers_beginnings_first(db: Any) -> None:
    for name, faces in (("Joanna", 50), ("Anna", 3), ("Annika", 9), ("Bo", 99), ("", 70)):
        Identity.objects.create(name=name, faces_count=faces)
    assert [person.name for person in complete_name("ann")] == ["Annika", "Anna", "Joanna"]
    assert [person.name for person in complete_name("")] == ["Bo", "Joanna", "Annika", "Anna"]
    bo = Identity.objects.get(name="Bo")
    assert bo not in complete_name("", without=bo.pk)
    assert complete_name("100%_") == []
