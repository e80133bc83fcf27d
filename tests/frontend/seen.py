"""What browser tests look for."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect


def toast(page: Page, text: str) -> None:
    expect(page.locator(".toast", has_text=text)).to_be_visible()


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Until it holds what the page itself doesn't show; a machine under load may take its time."""
    for _ in range(600):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("It never came to hold.")


def sent(page: Page) -> None:
    """Until no answer to a question is on its way."""
    page.wait_for_function(
        "() => Object.keys(sessionStorage).every("
        "(key) => !key.startsWith('loupe.outbox') || sessionStorage.getItem(key) === '[]')"
    )
