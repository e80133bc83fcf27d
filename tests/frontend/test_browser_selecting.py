"""Selecting faces by pointer alone, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.factories import World
from tests.frontend.made_queues import Open, make_clusters, tiles
from tests.frontend.seen import toast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def hold(page: Page, tile: Locator, grid: Locator) -> None:
    """As long as it takes for a range to begin."""
    tile.hover()
    page.mouse.down()
    expect(grid).to_have_attribute("data-range", "last")
    page.mouse.up()


def test_in_a_queue_all_none_and_ranges_are_selected_by_pointer(opened: Open, made: World) -> None:
    page = opened(make_clusters(made))
    expect(tiles(page)).to_have_count(6)
    question = page.locator("[data-question]:not([hidden])")
    selected, grid = question.locator("[aria-selected=true]"), question.locator("[data-grid]")
    question.get_by_role("button", name="All", exact=True).click()
    expect(selected).to_have_count(6)
    question.get_by_role("button", name="None").click()
    expect(selected).to_have_count(0)
    hold(page, tiles(page).nth(1), grid)
    toast(page, "Now tap the last face")
    expect(selected).to_have_count(1)
    tiles(page).nth(4).click()
    expect(selected).to_have_count(4)
    tiles(page).nth(4).click()  # the range has ended: a click is a click
    expect(selected).to_have_count(3)
    question.get_by_role("button", name="None").click()
    question.get_by_role("button", name="Range").click()
    tiles(page).nth(5).click()
    expect(selected).to_have_count(1)
    tiles(page).nth(3).click()
    expect(selected).to_have_count(3)


def test_on_a_clusters_page_too(cluster: Page) -> None:
    page, grid = cluster, cluster.locator("#grid")
    expect(grid.get_by_role("option")).to_have_count(6)
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.locator("[data-status]").first).to_have_text("6 faces selected")
    page.get_by_role("button", name="None").click()
    page.get_by_role("button", name="Range").click()
    page.keyboard.press("Escape")  # not after all
    expect(grid).not_to_have_attribute("data-range", "first")
    hold(page, grid.get_by_role("option").nth(0), grid)
    grid.get_by_role("option").nth(2).click()
    expect(page.locator("[data-status]").first).to_have_text("3 faces selected")
