"""Keys of one's own, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from annotation.models import Decision
from tests.factories import World
from tests.frontend.seen import toast, until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_chosen_key_works_and_is_shown_and_a_clash_is_refused(
    page: Page,
    live_server: Any,
    people: dict[str, User],
    made: World,
    signed_in: Callable[[User], None],
    excused: list[str],
) -> None:
    signed_in(people["data_engineer"])
    page.goto(live_server.url + reverse("ui:account"))
    choose = page.get_by_role("button", name="Key for: Reject")
    choose.click()
    page.keyboard.press("m")
    toast(page, "can't be both")
    excused.append("409 (Conflict)")
    choose.click()
    page.keyboard.press("x")
    toast(page, "Your key was kept")
    expect(choose).to_have_text("X")
    page.goto(live_server.url + reverse("ui:cluster", args=[made.clusters[0].pk]))
    expect(page.get_by_role("button", name="Reject X")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("r")
    assert not Decision.objects.exists()
    page.keyboard.press("x")
    toast(page, "Rejected: 1 face")
    page.goto(live_server.url + reverse("ui:account"))
    page.get_by_role("button", name="Reset all").click()
    toast(page, "as they were at first")
    expect(choose).to_have_text("R")


def test_what_was_undone_can_be_done_again_and_undone_again(cluster: Page) -> None:
    cluster.keyboard.press("ArrowRight")
    cluster.keyboard.press("Space")
    cluster.keyboard.press("r")
    toast(cluster, "Rejected: 1 face")
    steps = (("Control+z", "Undone"), ("Control+Shift+Z", "Redone"), ("Control+z", "Undone"))
    for number, (key, said) in enumerate(steps, 1):
        cluster.keyboard.press(key)
        until(cluster, lambda number=number: Decision.objects.filter(kind="revert").count() == number)
        toast(cluster, f"{said}: Rejected: 1 face")
    kinds = list(Decision.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["reject", "revert", "revert", "revert"]
    cluster.keyboard.press("Control+z")
    toast(cluster, "Nothing to undo")


def test_the_keys_are_shown_by_mouse_on_a_wide_page(cluster: Page) -> None:
    cluster.set_viewport_size({"width": 1440, "height": 900})
    cluster.locator(".sidebar-foot").get_by_role("button", name="Keys of this page").click()
    expect(cluster.get_by_role("heading", name="Keys of this page")).to_be_visible()
