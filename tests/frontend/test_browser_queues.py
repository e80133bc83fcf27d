"""The queues of clusters and of merges, by key, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, expect

from accounts.models import User
from annotation.models import Decision, Identity, Label
from mining.models import ReviewItem, ReviewVote
from tests.factories import World, make_world
from tests.frontend.made_queues import Open, make_clusters, make_pairs, tiles
from tests.frontend.seen import sent, toast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_outliers_are_rejected_and_the_rest_confirmed_in_one_step_that_is_undone_and_redone(
    opened: Open, made: World
) -> None:
    batch = make_clusters(made)
    page = opened(batch)
    expect(page.get_by_role("heading", name="Is this one person, Anna?")).to_be_visible()
    expect(tiles(page)).to_have_count(6)
    expect(page.locator("#questions .tile.widest")).to_have_count(2)
    weakest = [int(tiles(page).nth(n).get_attribute("data-face") or 0) for n in range(2)]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("button", name="Confirm the rest, reject 2")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Is this one person, Bertil?")).to_be_visible()
    expect(page.locator("#announce")).to_contain_text("Is this one person, Bertil? why 1")
    toast(page, "Confirmed: 4 faces, 2 rejected")
    kinds = list(Decision.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["reject", "assign"]
    assert Decision.objects.values("action").distinct().count() == 1
    assert Label.objects.filter(identity=made.people[0], source="human").count() == 4
    assert not Label.objects.filter(face__in=weakest).exclude(identity=None).exists()
    page.keyboard.press("Control+z")
    toast(page, "Undone: Confirmed: 4 faces")
    expect(page.get_by_role("heading", name="Is this one person, Anna?")).to_be_visible()
    assert Label.objects.filter(identity=made.people[0], source="human").count() == 0
    page.keyboard.press("Control+Shift+Z")
    toast(page, "Redone: Confirmed: 4 faces")
    assert Label.objects.filter(identity=made.people[0], source="human").count() == 4
    assert ReviewVote.objects.filter(withdrawn_at=None).get().payload == {"rejected": sorted(weakest)}


def test_clusters_are_told_apart_skipped_named_and_given_to_somebody_by_number(opened: Open, made: World) -> None:
    batch = make_clusters(made)
    page = opened(batch)
    expect(tiles(page)).to_have_count(6)
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="Bertil")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="Is this one person?")).to_be_visible()
    expect(tiles(page)).to_have_count(3)
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="Nothing is left here for you")).to_be_visible()
    sent(page)
    assert list(batch.items.order_by("ordinal").values_list("state", flat=True)) == ["answered", "open", "answered"]
    different = Decision.objects.get(kind="different")
    assert {*different.faces, *different.others} == {made.clusters[0].widest_a_id, made.clusters[0].widest_b_id}
    made.people[2].refresh_from_db()
    assert made.people[2].merged_into == made.people[0]
    page.keyboard.press("Control+z")
    toast(page, "Undone: The same as Anna")
    made.people[2].refresh_from_db()
    assert made.people[2].merged_into is None
    expect(tiles(page)).to_have_count(3)
    page.keyboard.press("e")
    page.get_by_label("Name", exact=True).fill("Cecilia")
    page.keyboard.press("Enter")
    toast(page, "Named: Cecilia")
    assert Identity.objects.get(name="Cecilia") == made.people[2]
    assert Label.objects.filter(identity=made.people[2], source="human").count() == 3


def test_faces_are_split_off_ignored_or_said_to_be_none_by_key_and_by_button_in_one_answer(
    opened: Open, made: World
) -> None:
    page = opened(make_clusters(made))
    expect(tiles(page)).to_have_count(6)
    ids = [int(tiles(page).nth(n).get_attribute("data-face") or 0) for n in range(6)]
    page.keyboard.press("s")
    toast(page, "Select faces first")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("s")
    for place, key in ((1, "i"), (2, "n")):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        page.keyboard.press(key)
        expect(tiles(page).nth(place)).to_have_attribute("aria-selected", "false")
    status = page.locator("[data-question]:not([hidden]) [data-status]")
    expect(status).to_have_text("1 split off; 1 ignored; 1 no face")
    expect(tiles(page).nth(0)).to_have_attribute("aria-label", re.compile("person 2$"))
    page.keyboard.press("d")
    toast(page, "Faces are marked to leave")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(status).to_have_text("1 face selected, not this person; 1 split off")
    expect(tiles(page).nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Control+Shift+z")
    expect(status).to_have_text("1 face selected, not this person; 1 split off; 1 ignored")
    page.get_by_role("button", name="Not a face").first.click()
    tiles(page).nth(3).click()
    page.get_by_role("button", name="Confirm the rest, reject 1").click()
    sent(page)
    toast(page, "Confirmed: 2 faces, 1 rejected, 1 split off, 1 ignored, 1 no face")
    said = {one.kind: one.faces for one in Decision.objects.all()}
    assert said == {
        "reject": [ids[3]],
        "split": [ids[0]],
        "ignore": [ids[1]],
        "not_a_face": [ids[2]],
        "assign": sorted(ids[4:]),
    }
    assert Decision.objects.values("action").distinct().count() == 1
    page.keyboard.press("Control+z")
    toast(page, "Undone: Confirmed: 2 faces")
    expect(tiles(page)).to_have_count(6)
    assert ReviewItem.objects.filter(state="open").count() == 3
    page.keyboard.press("Control+Shift+z")
    toast(page, "Redone: Confirmed: 2 faces")
    assert Label.objects.get(face=ids[1]).reason == "ignored"


def test_a_cluster_in_which_nothing_is_a_face_leaves_as_a_whole_and_m_searches_another_person(
    opened: Open, made: World
) -> None:
    page = opened(make_clusters(made))
    expect(tiles(page)).to_have_count(6)
    page.keyboard.press("Control+a")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    sent(page)
    toast(page, "No face of this person, 6 no face")
    assert [one.kind for one in Decision.objects.all()] == ["not_a_face"]
    expect(page.get_by_role("heading", name="Is this one person, Bertil?")).to_be_visible()
    page.keyboard.press("m")
    field = page.locator("#name-input")
    expect(field).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(field).to_be_focused()


def test_a_completed_name_says_who_a_cluster_is(opened: Open, made: World) -> None:
    page = opened(make_clusters(made))
    expect(tiles(page)).to_have_count(6)
    page.keyboard.press("e")
    page.get_by_label("Name", exact=True).fill("bert")
    expect(page.locator("#name-list [role=option]")).to_have_text(re.compile("Bertil"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    toast(page, "The same as Bertil")
    made.people[0].refresh_from_db()
    assert made.people[0].merged_into == made.people[1]


def test_merges_show_both_from_oldest_to_newest_and_are_answered_by_key(opened: Open, made: World) -> None:
    for days, photo in enumerate(reversed(made.photos[:6])):
        photo.taken_at = datetime(2020, 1, days + 1, tzinfo=UTC)
        photo.save()
    batch = make_pairs(made, "merge", count=2)
    page = opened(batch)
    row = page.locator("[data-question]:not([hidden]) .person-row").first.locator("img")
    expect(row).to_have_count(6)
    oldest = [reverse("ui:crop", args=[face.pk]) for face in reversed(made.faces[:6])]
    assert [row.nth(n).get_attribute("src") for n in range(6)] == oldest
    page.keyboard.press("d")
    expect(page.locator(".why", has_text="why 1")).to_be_visible()
    page.keyboard.press("m")
    expect(page.get_by_role("heading", name="This batch is done")).to_be_visible()
    sent(page)
    assert list(Decision.objects.order_by("id").values_list("kind", flat=True)) == ["different", "same", "merge"]
    made.people[1].refresh_from_db()
    assert made.people[1].merged_into == made.people[0]


def test_photos_are_shown_on_demand_with_the_face_in_its_box(opened: Open, made: World) -> None:
    page = opened(make_pairs(made))
    shots = page.locator("[data-question]:not([hidden]) [data-photos]")
    expect(page.get_by_text("Your answer settles 4 faces").first).to_be_visible()
    expect(shots).not_to_be_visible()
    page.keyboard.press("p")
    expect(shots.locator("img").first).to_be_visible()
    assert shots.locator("img").first.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    expect(shots.locator("svg rect")).to_have_count(2)
    page.locator("[data-question]:not([hidden]) [data-toggle-photos]").click()
    expect(shots).not_to_be_visible()


def test_space_skips_again_once_the_grid_was_left(opened: Open, made: World) -> None:
    page = opened(make_clusters(made))
    expect(tiles(page)).to_have_count(6)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    toast(page, "Skipped")
    assert ReviewVote.objects.get().answer == "skip"


def test_two_annotators_get_different_questions(
    opened: Open, made: World, context: BrowserContext, people: dict[str, User], signed_in: Callable[[User], None]
) -> None:
    batch = make_pairs(made)
    page = opened(batch)
    expect(page.locator(".why", has_text="why 0")).to_be_visible()
    page.wait_for_function("() => performance.getEntriesByType('resource').some((one) => one.name.endsWith('/lease'))")
    batch.items.filter(ordinal=2).get().leases.all().delete()  # as if only two had been taken
    signed_in(people["data_engineer"])
    other = context.new_page()
    other.goto(page.url)
    expect(other.locator(".why", has_text="why 2")).to_be_visible()
    expect(other.locator("[data-question]")).to_have_count(1)
    other.close()


def test_a_cluster_of_five_thousand_faces_has_few_tiles_and_ranges_reach_beyond_them(
    opened: Open, people: dict[str, User]
) -> None:
    world = make_world([5000], names=["Anna"])
    page = opened(make_clusters(world))
    grid = page.locator("[role=listbox][data-grid]")
    expect(grid).not_to_have_attribute("aria-busy", "true")
    most = tiles(page).count()
    expect(tiles(page).first).to_have_attribute("aria-setsize", "5000")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    for _ in range(5):
        page.keyboard.press("PageDown")
        most = max(most, tiles(page).count())
    page.keyboard.press("Shift+End")
    page.keyboard.press("Shift+Home")
    most = max(most, tiles(page).count())
    expect(page.locator("[data-status]").first).to_contain_text("5000 faces selected")
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+PageDown")
    chosen = int((page.locator("[data-status]").first.text_content() or "").split()[0])
    assert 10 < chosen < 100
    page.keyboard.press("Enter")
    toast(page, f"Confirmed: {5000 - chosen} faces, {chosen} rejected")
    assert most < 150
    assert len(Decision.objects.get(kind="assign").faces) == 5000 - chosen
