"""Deciding about a cluster by key and by pointer, in a real browser against a real server and database."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from annotation.models import Decision, Identity, Label
from tests.factories import World, make_world
from tests.frontend.seen import toast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_crops_are_there_and_nothing_moves_when_they_come(cluster: Page) -> None:
    tiles = cluster.locator("#grid img")
    expect(tiles).to_have_count(6)
    for number in range(6):
        assert tiles.nth(number).evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 112
    shift = """() => new Promise((done) => {
      let total = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((one) => (total += one.value)))
        .observe({ type: "layout-shift", buffered: true });
      setTimeout(() => done(total), 200);
    })"""
    assert cluster.evaluate(shift) < 0.01


def test_rejecting_faces_by_key_and_undoing_it(cluster: Page, made: World) -> None:
    weakest = int(cluster.locator("#grid [role=option]").first.get_attribute("data-face") or 0)
    cluster.keyboard.press("ArrowRight")
    cluster.keyboard.press("Space")
    expect(cluster.locator("[data-status]")).to_have_text("1 face selected")
    cluster.keyboard.press("r")
    toast(cluster, "Rejected: 1 face")
    decision = Decision.objects.get(kind="reject")
    assert (decision.faces, decision.identity) == ([weakest], made.people[0])
    assert decision.seconds is not None
    assert decision.evidence["cluster"] == made.clusters[0].pk
    assert Label.objects.get(face=weakest).identity is None
    expect(cluster.locator(f'[data-face="{weakest}"]')).to_have_class(re.compile("gone"))
    cluster.keyboard.press("Control+z")
    toast(cluster, "Undone: Rejected: 1 face")
    assert Decision.objects.get(kind="revert").reverts == decision
    assert Label.objects.get(face=weakest).identity == made.people[0]
    expect(cluster.locator(f'[data-face="{weakest}"]')).not_to_have_class(re.compile("gone"))


def test_confirming_goes_on_to_the_next_cluster_and_undo_comes_back(cluster: Page, made: World) -> None:
    cluster.keyboard.press("Enter")
    cluster.wait_for_url(f"**{reverse('ui:cluster', args=[made.clusters[1].pk])}")
    assert Label.objects.filter(identity=made.people[0], source="human").count() == 6
    cluster.keyboard.press("Control+z")
    cluster.wait_for_url(f"**{reverse('ui:cluster', args=[made.clusters[0].pk])}")
    assert Label.objects.filter(identity=made.people[0], source="human").count() == 0


def test_naming_with_a_new_name(cluster: Page, made: World) -> None:
    cluster.keyboard.press("e")
    cluster.get_by_label("Name", exact=True).fill("Anna Andersson")
    cluster.keyboard.press("Enter")
    toast(cluster, "Named: Anna Andersson")
    expect(cluster.get_by_role("heading", name="Anna Andersson")).to_be_visible()
    made.people[0].refresh_from_db()
    assert made.people[0].name == "Anna Andersson"


def test_choosing_a_completed_name_merges(cluster: Page, made: World) -> None:
    cluster.keyboard.press("e")
    cluster.get_by_label("Name", exact=True).fill("bert")
    option = cluster.locator("#name-list [role=option]")
    expect(option).to_have_text(re.compile("Bertil"))
    cluster.keyboard.press("ArrowDown")
    cluster.keyboard.press("Enter")
    cluster.keyboard.press("Enter")
    expect(cluster.get_by_role("heading", name="Bertil")).to_be_visible()
    made.people[0].refresh_from_db()
    assert made.people[0].merged_into == made.people[1]


def test_typing_the_whole_name_of_somebody_means_them(cluster: Page, made: World) -> None:
    cluster.keyboard.press("e")
    cluster.get_by_label("Name", exact=True).fill("bertil")
    cluster.keyboard.press("Enter")
    toast(cluster, "Merged with Bertil")
    assert Decision.objects.get().kind == "merge"


def test_merging_shows_both_covers_first(cluster: Page, made: World) -> None:
    cluster.keyboard.press("m")
    cluster.get_by_label("Who is it the same as?").fill("Bert")
    cluster.locator("#merge-list [role=option]", has_text="Bertil").click()
    expect(cluster.locator("#merge-dialog [data-compare] img")).to_have_count(2)
    cluster.get_by_role("button", name="They are one person").click()
    expect(cluster.get_by_role("heading", name="Bertil")).to_be_visible()
    assert Decision.objects.get(kind="merge").into == made.people[1]
    cluster.keyboard.press("Control+z")
    expect(cluster.get_by_role("heading", name="Anna")).to_be_visible()
    made.people[0].refresh_from_db()
    assert made.people[0].merged_into is None


def test_splitting_a_range_out_as_somebody_new(cluster: Page, made: World) -> None:
    tiles = cluster.locator("#grid [role=option]")
    tiles.nth(0).click()
    tiles.nth(2).click(modifiers=["Shift"])
    expect(cluster.locator("[data-status]")).to_have_text("3 faces selected")
    cluster.keyboard.press("s")
    cluster.get_by_label("Who are they?").fill("Cecilia")
    cluster.keyboard.press("Enter")
    toast(cluster, "Split out: 3 faces as Cecilia")
    somebody = Identity.objects.get(name="Cecilia")
    assert Label.objects.filter(identity=somebody, source="human").count() == 3
    assert Decision.objects.get(kind="split").identity == made.people[0]


def test_setting_faces_aside_by_key(cluster: Page) -> None:
    tiles = cluster.locator("#grid [role=option]:not(.gone)")
    tiles.nth(0).click()
    cluster.keyboard.press("n")
    toast(cluster, "1 face is no face")
    tiles.nth(0).click()
    cluster.keyboard.press("i")
    toast(cluster, "1 face set aside")
    assert sorted(Label.objects.exclude(reason="").values_list("reason", flat=True)) == ["ignored", "not_a_face"]


def test_two_people_at_once_are_told(cluster: Page, made: World, people: dict[str, User], excused: list[str]) -> None:
    from annotation.services.decisions import decide

    decide(user=people["manager"], kind="rename", identity=made.people[0].pk, text="Annika")
    cluster.locator("#grid [role=option]").first.click()
    cluster.keyboard.press("r")
    dialog = cluster.get_by_role("dialog", name="This has changed meanwhile")
    expect(dialog).to_contain_text("manager named this person Annika just now.")
    assert not Decision.objects.filter(kind="reject").exists()
    dialog.get_by_role("button", name="Say mine as well").click()
    toast(cluster, "Rejected: 1 face")
    assert Decision.objects.filter(kind="reject").count() == 1
    excused.append("409 (Conflict)")


def test_the_list_of_keys_opens_and_lets_no_key_through(cluster: Page) -> None:
    cluster.keyboard.press("?")
    expect(cluster.get_by_role("dialog")).to_contain_text("Split the selected faces out")
    cluster.keyboard.press("r")
    cluster.keyboard.press("Escape")
    expect(cluster.locator("#keys")).not_to_be_visible()
    assert Decision.objects.count() == 0


def test_a_large_cluster_has_few_tiles_and_one_comes_back_to_where_one_was(
    page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None]
) -> None:
    world = make_world([5000], names=["Anna"])
    signed_in(people["data_engineer"])
    page.goto(live_server.url + reverse("ui:cluster", args=[world.clusters[0].pk]))
    grid = page.get_by_role("listbox", name="Faces of this cluster, weakest first")
    expect(grid).not_to_have_attribute("aria-busy", "true")
    tiles, status = grid.get_by_role("option"), page.locator("[data-status]")
    most = tiles.count()
    expect(tiles.first).to_have_attribute("aria-setsize", "5000")
    expect(tiles.first).to_have_accessible_name(re.compile(r"^Face \d+, similarity 0\.\d\d"))
    page.keyboard.press("ArrowRight")
    expect(grid).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+End")
    most = max(most, tiles.count())
    expect(status).to_have_text("5000 faces selected")
    page.keyboard.press("Escape")
    for _ in range(40):
        page.keyboard.press("PageUp")
        most = max(most, tiles.count())
    page.keyboard.press("Space")
    page.keyboard.press("Shift+PageDown")
    chosen = int((status.text_content() or "").split()[0])
    assert 10 < chosen < 100 and most <= 70
    current = str(grid.get_attribute("aria-activedescendant"))
    page.mouse.wheel(0, 40_000)  # out of sight it is still there to be named
    expect(page.locator(f"#{current}")).to_have_count(1)
    page.keyboard.press("r")
    toast(page, f"Rejected: {chosen} faces")
    assert len(Decision.objects.get(kind="reject").faces) == chosen
    expect(status).to_have_text("Nothing selected")
    expect(page.locator(f"#{current}")).to_have_attribute("aria-disabled", "true")
    top = grid.evaluate("(box) => box.scrollTop")
    page.keyboard.press("Control+z")
    toast(page, "Undone: Rejected")
    expect(grid).to_be_focused()
    assert grid.evaluate("(box) => box.scrollTop") == top
    expect(page.locator(f"#{current}")).not_to_have_attribute("aria-disabled", "true")


@pytest.mark.usefixtures("intercepting")
def test_crops_of_a_grid_come_on_sheets_and_singly_where_these_fail(
    page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None], excused: list[str]
) -> None:
    world = make_world([120], names=["Anna"])
    signed_in(people["data_engineer"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/crops/" in request.url else None)
    address = live_server.url + reverse("ui:cluster", args=[world.clusters[0].pk])
    page.goto(address)
    cells = page.locator("#grid .cell")
    expect(cells.first).to_have_css("background-image", re.compile("sheet"))
    for _ in range(8):
        page.keyboard.press("PageDown")
    expect(page.locator("#grid [role=option]").last.locator(".cell")).to_have_css(
        "background-image", re.compile("sheet")
    )
    assert 2 <= len([url for url in asked if "sheet" in url]) <= 3
    assert not [url for url in asked if url.endswith(".png")]
    page.route("**/crops/sheet.jpg*", lambda route: route.abort())
    page.goto(address)
    expect(page.locator("#grid .tile img").first).to_be_visible()
    expect(cells).to_have_count(0)
    excused.append("ERR_FAILED")


def test_taking_back_in_the_ledger(cluster: Page, live_server: Any) -> None:
    cluster.locator("#grid [role=option]").first.click()
    cluster.keyboard.press("r")
    toast(cluster, "Rejected: 1 face")
    cluster.goto(live_server.url + reverse("ui:ledger"))
    cluster.get_by_role("button", name="Take back").click()
    toast(cluster, "was taken back")
    assert Decision.objects.filter(kind="revert").count() == 1
    expect(cluster.locator("tr.struck")).to_have_count(1)
