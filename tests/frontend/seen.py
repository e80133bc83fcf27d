"""What browser tests look for."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def toast(page: Page, text: str) -> None:
    expect(page.locator(".toast", has_text=text)).to_be_visible()


def sent(page: Page) -> None:
    """Until no answer to a question is on its way."""
    page.wait_for_function(
        "() => Object.keys(sessionStorage).every("
        "(key) => !key.startsWith('loupe.outbox') || sessionStorage.getItem(key) === '[]')"
    )
