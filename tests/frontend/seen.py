"""What browser tests look for."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def toast(page: Page, text: str) -> None:
    expect(page.locator(".toast", has_text=text)).to_be_visible()
