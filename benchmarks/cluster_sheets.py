"""Crops of a large cluster in Chromium: on sheets, and each by itself.

    python -m benchmarks.cluster_sheets --photos DIR [--faces 5000] [--save]

`--photos` is a folder with one sub-folder per person, faces in the middle of the picture (as LFW is). The page of the
cluster is opened with an empty cache at 1440 x 900, then walked through to its last face, screen by screen, each time
until all pictures on it are there. Requests, bytes and seconds of either way; one JSON line each, and the ratios.
"""

# ruff: noqa: E402 - Django must be set up before its models can be imported

from __future__ import annotations

import argparse
import os
import shutil
import time
from pathlib import Path
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Browser, Page, Request, Route, sync_playwright

from benchmarks.machine import save, tell
from benchmarks.screenshots import FLAGS, served, session_of
from config.embedded.services import running
from tests.conftest import chromium
from tests.factories import make_users, make_world
from tests.frontend.showcase import real_pictures

ALL_THERE = """() => new Promise((done) => {
  const look = () => [...document.querySelectorAll("#grid .tile")].every((tile) => {
    const image = tile.querySelector("img");
    return image ? image.complete && image.naturalWidth : tile.querySelector(".cell").style.backgroundImage;
  }) ? done() : requestAnimationFrame(look);
  look();
})"""


def walk(browser: Browser, base: str, key: str, address: str, *, sheets: bool) -> dict[str, Any]:
    """What it takes to see the first screen, and all."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": base}])
    page = context.new_page()
    if not sheets:
        page.route("**/js/sheets*.js", singly)
    asked: list[Request] = []
    page.on("requestfinished", lambda request: asked.append(request) if "/crops/" in request.url else None)
    began = time.perf_counter()
    page.goto(base + address)
    page.wait_for_selector("#grid[aria-busy=true]", state="detached")
    page.evaluate(ALL_THERE)
    first, requests = time.perf_counter() - began, len(asked)
    screens = scroll(page)
    seconds = time.perf_counter() - began
    kilobytes = sum(request.sizes()["responseBodySize"] for request in asked) / 1000
    context.close()
    return {
        "crops": "sheets" if sheets else "single",
        "first_requests": requests,
        "first_seconds": round(first, 2),
        "screens": screens,
        "requests": len(asked),
        "kilobytes": round(kilobytes),
        "seconds": round(seconds, 2),
    }


def singly(route: Route) -> None:
    """The module as if sheets began at more faces than there are."""
    route.fulfill(response=(said := route.fetch()), body=said.text().replace("LEAST = 12", "LEAST = 1e9"))


def scroll(page: Page) -> int:
    """Down to the last face; how many screens that took."""
    page.keyboard.press("ArrowRight")
    screens = 1
    while not page.evaluate(
        "(box => box.scrollTop + box.clientHeight + 2 > box.scrollHeight)(document.querySelector('#grid'))"
    ):
        page.keyboard.press("PageDown")
        page.evaluate(ALL_THERE)
        screens += 1
    return screens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=5000)
    parser.add_argument("--save", action="store_true", help="keep the results in benchmarks/results")
    options = parser.parse_args()
    home = Path(settings.LOUPE_HOME)
    with running(home, want_broker=False, durable=False):
        call_command("migrate", verbosity=0)
        users = make_users()
        world = make_world([options.faces], pictures=real_pictures(options.photos))
        address = reverse("ui:cluster", args=[world.clusters[0].pk])
        with served() as base, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            key = session_of(users["manager"])
            walk(browser, base, key, address, sheets=True)  # the server's first requests are slower
            results = [walk(browser, base, key, address, sheets=sheets) for sheets in (False, True)]
            browser.close()
        single, sheet = results
        measured = ("first_requests", "first_seconds", "requests", "kilobytes", "seconds")
        results.append(
            {"faces": options.faces} | {f"{name}_ratio": round(single[name] / sheet[name], 1) for name in measured}
        )
        for result in results:
            tell(result)
        if options.save:
            save("cluster_sheets", results, command="python -m benchmarks.cluster_sheets --photos DIR --save")
    shutil.rmtree(settings.ENV.runtime, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
