"""When, where, with whom, how sure, merged from whom: one person's page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from annotation.models import Collection, CollectionPhoto, Face, Identity, Label, Photo
from annotation.queries.person_story import Checked, checked_of, company_of, merged_into, photos_by_year, photos_of
from annotation.services.decisions import By, revert
from annotation.services.identities import merge_people, reject_faces
from annotation.services.labels import refresh_labels
from tests.factories import World
from tests.frontend.seen import toast

pytestmark = pytest.mark.django_db(transaction=True)


def together(world: World) -> tuple[Identity, Identity]:
    """Anna and Bertil on two photos of Anna's: his first two faces are moved there."""
    anna, bertil = world.people[:2]
    photos = Photo.objects.filter(faces__label__identity=anna).order_by("pk")[:2]
    faces = Face.objects.filter(label__identity=bertil).order_by("pk")[:2]
    for face, photo in zip(faces, photos, strict=True):
        Face.objects.filter(pk=face.pk).update(photo=photo, ordinal=1)
    return anna, bertil


def test_company_and_photos_leave_out_what_may_not_be_shown(world: World) -> None:
    anna, bertil = together(world)
    assert [(one.person, one.photos) for one in company_of(anna)] == [(bertil, 2)]
    assert [(one.person, one.photos) for one in company_of(bertil)] == [(anna, 2)]
    both = photos_of([anna.pk, bertil.pk])
    assert both.count() == 2
    locked = Collection.objects.create(name="locked", slug="locked", held_out="test")
    CollectionPhoto.objects.create(collection=locked, photo=both[0], path="a.jpg")
    assert photos_of([anna.pk, bertil.pk]).count() == 1
    assert company_of(anna)[0].photos == 1


def test_photos_by_year_name_the_undated_last(world: World) -> None:
    anna = world.people[0]
    photos = list(photos_of([anna.pk]))
    for photo, year in zip(photos, (2019, 2003, 2003), strict=False):
        Photo.objects.filter(pk=photo.pk).update(taken_at=datetime(year, 5, 1, tzinfo=UTC))
    assert list(photos_by_year(anna).items()) == [(2003, 2), (2019, 1), (None, len(photos) - 3)]


def test_what_people_checked_gives_a_share_with_an_interval(world: World, users: dict[str, User]) -> None:
    anna = world.people[0]
    assert (checked_of(anna).low, checked_of(anna).high) == (0.0, 1.0)
    faces = list(Label.objects.filter(identity=anna).values_list("face_id", flat=True))
    reject_faces(identity_id=anna.pk, faces=faces[:1], by=By(users["annotator"]))
    kept = Label.objects.filter(identity=anna, source=Label.Source.HUMAN).count()
    assert checked_of(anna) == Checked(kept, 1)
    found = Checked(9, 1)
    assert found.share == 0.9
    assert (round(found.low, 4), round(found.high, 4)) == (0.5958, 0.9821)  # as in tables of Wilson's interval


def test_merges_are_told_until_they_are_taken_back(world: World, users: dict[str, User]) -> None:
    anna, bertil = world.people[:2]
    made = merge_people(identity_id=bertil.pk, into_id=anna.pk, by=By(users["annotator"]))
    [(person, said)] = merged_into(anna)
    assert (person, said.pk) == (bertil, made[0].pk)
    revert(user=users["annotator"], decision_id=said.pk)
    refresh_labels()
    assert merged_into(anna) == []


def test_the_photos_page_shows_those_with_both(as_role: Callable[[str], Client], world: World) -> None:
    anna, bertil = together(world)
    client = as_role("data_engineer")
    page = client.get(reverse("ui:photos"), {"person": [anna.pk, bertil.pk]}).content.decode()
    assert page.count('class="photo-card"') == 2
    assert "Anna" in page and "Bertil" in page
    assert client.get(reverse("ui:photos"), {"person": ["x", 10**9]}).status_code == 200


@pytest.mark.browser
def test_unmerging_from_the_persons_page(
    page: Page, live_server: Any, people: dict[str, User], made: World, signed_in: Callable[[User], None]
) -> None:
    anna, bertil = made.people[:2]
    merge_people(identity_id=bertil.pk, into_id=anna.pk, by=By(people["data_engineer"]))
    signed_in(people["data_engineer"])
    page.goto(live_server.url + reverse("ui:person", args=[anna.pk]))
    expect(page.get_by_role("heading", name="Merged from")).to_be_visible()
    page.get_by_role("button", name="Unmerge Bertil").click()
    toast(page, "was taken back")
    expect(page.get_by_role("heading", name="Merged from")).to_have_count(0)
    assert Identity.objects.get(pk=bertil.pk).merged_into_id is None
