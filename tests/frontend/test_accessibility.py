"""No page has anything that axe-core calls wrong, empty or full, light or dark."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from accounts.models import User
from tests.factories import painted
from tests.frontend.showcase import addresses, make_showcase

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def violations(page: Page, address: str) -> list[str]:
    """What axe-core finds on a page: theme, rule and the first element."""
    page.goto(address)
    found: list[str] = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        wrongs = Axe().run(page).response["violations"]
        found += [f"{theme}: {one['id']} ({one['impact']}): {one['nodes'][0]['html'][:120]}" for one in wrongs]
    return found


@pytest.mark.timeout(300)
def test_axe_finds_nothing_wrong_on_any_page(
    page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None], excused: list[str]
) -> None:
    found = {"login": violations(page, live_server.url + "/login/")}
    signed_in(people["manager"])
    for name, address in addresses(None).items():
        found[f"empty {name}"] = violations(page, live_server.url + address)
    make = [dataclasses.replace(one, person=f"Painted {n // 20}") for n, one in enumerate(painted(80))]
    for name, address in addresses(make_showcase(people, make)).items():
        found[name] = violations(page, live_server.url + address)
    excused.append("404 (Not Found)")  # the page that is missing on purpose
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
