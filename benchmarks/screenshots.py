"""Every page at 1440 and 420 pixels, light and dark, empty and full, as PNG files to look at.

    python -m benchmarks.screenshots FOLDER [--photos DIR] [--only people,cluster] [--wide-only] [--light-only]

`--photos` is a folder with one sub-folder per person, faces in the middle of the picture (as LFW is); without it faces
are painted. Runs in a home of its own that is thrown away. Needs Chromium. One JSON line per page: what was too wide,
what the browser's console complained about, and the seconds until it was loaded.
"""

# ruff: noqa: E402 - Django must be set up before its models can be imported

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
# Playwright's loop runs in this thread; the database is used between its calls, never within.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

import django

django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

from accounts.models import User
from config.embedded.services import running
from tests.factories import make_users, painted
from tests.frontend.showcase import addresses, make_showcase, real_pictures

WIDTHS = {"wide": (1440, 900), "narrow": (420, 860)}
# Pages with something open on them: the page, and the keys that are pressed there.
GESTURES = {
    "cluster-keys": ("cluster", ["?"]),
    "cluster-selected": ("cluster", ["ArrowRight", "Space", "Shift+ArrowRight", "Shift+ArrowRight"]),
    "cluster-name": ("cluster", ["e", "Backspace", "a"]),
    "cluster-split": ("cluster", ["ArrowRight", "Space", "Shift+ArrowRight", "s"]),
    "cluster-merge": ("cluster", ["m", "a", "ArrowDown", "Enter"]),
    "cluster-toast": ("cluster", ["r"]),
}
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def session_of(user: User) -> str:
    """The key of a session in which the user is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


@contextmanager
def served() -> Iterator[str]:
    """The web server in a thread of this process; yields its address."""
    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.terminate()


def shoot(browser: Browser, base: str, key: str, pages: dict[str, str], out: Path, options: argparse.Namespace) -> None:
    """All pages in all sizes and themes."""
    for size, (width, height) in WIDTHS.items():
        for theme in ("light",) if options.light_only else ("light", "dark"):
            if options.wide_only and size != "wide":
                continue
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if theme == "dark" else "light"
            )
            if key:
                context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": base}])
            page = context.new_page()
            said = listen(page)
            shots: dict[str, tuple[str, list[str]]] = {name: (address, []) for name, address in pages.items()}
            shots |= {name: (pages[of], keys) for name, (of, keys) in GESTURES.items() if of in pages}
            for name, (address, keys) in shots.items():
                file = out / f"{name}-{size}-{theme}.png"
                report(page, said, base + address, keys, file, name, width)
            context.close()


def listen(page: Page) -> list[str]:
    """A list that fills with what the page complains about."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    def fail(error: Error) -> None:
        said.append(str(error))

    page.on("console", hear)
    page.on("pageerror", fail)
    return said


def report(page: Page, said: list[str], address: str, keys: list[str], file: Path, name: str, width: int) -> None:
    """One page: its picture, and what was wrong with it."""
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_load_state("load")
    for _ in range(50):  # parts of a page that come later
        if not page.locator("[aria-busy=true]").count():
            break
        page.wait_for_timeout(100)
    seconds = time.perf_counter() - began
    page.evaluate("document.querySelectorAll('img').forEach((image) => (image.loading = 'eager'))")
    # Not wait_for_function: it evaluates strings, which the pages' policy forbids.
    for _ in range(100):
        page.wait_for_timeout(100)
        if page.evaluate("[...document.images].every((image) => image.complete)"):
            break
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file, full_page=not keys)
    needed = page.evaluate("document.documentElement.scrollWidth")
    line = {"page": name, "file": file.name, "width": width, "too_wide_by": max(0, needed - width)}
    print(json.dumps({**line, "seconds": round(seconds, 3), "console": list(said)}), flush=True)
    said.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--wide-only", action="store_true")
    parser.add_argument("--light-only", action="store_true")
    parser.add_argument("--full-only", action="store_true")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium was not found (apt-get install chromium)")
    only = set(options.only.split(",")) - {""}
    home = Path(settings.LOUPE_HOME)
    with running(home, durable=False), sync_playwright() as playwright:
        call_command("migrate", verbosity=0)
        users = make_users()
        key = session_of(users["manager"])
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        with served() as base:
            if not options.full_only:
                pages = {n: a for n, a in addresses(None).items() if not only or n in only}
                shoot(browser, base, key, pages, options.folder / "empty", options)
                if not only or "login" in only:
                    shoot(browser, base, "", {"login": "/login/"}, options.folder / "empty", options)
            pictures = (
                real_pictures(options.photos)
                if options.photos
                else [dataclasses.replace(one, person=f"Painted {n // 20}") for n, one in enumerate(painted(400))]
            )
            world = make_showcase(users, pictures)
            pages = {n: a for n, a in addresses(world).items() if not only or n in only}
            shoot(browser, base, key, pages, options.folder / "full", options)
        browser.close()
    shutil.rmtree(settings.ENV.runtime, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
