"""Queries and milliseconds of server time of the cluster pages at 100, 10,000 and 100,000 faces.

    python -m benchmarks.cluster_grid [--faces 100,10000,100000] [--repeats 30]

Half of the faces lie in clusters of ten, a quarter in clusters of two, and a tenth in one cluster, so that both many
clusters and a large one are there. Rows are made in bulk in a database of their own that is thrown away; analysed, but
not warmed: the first request is reported by itself. The best of the repeats is what the page costs on a quiet machine.
One JSON line per page and size.
"""

# ruff: noqa: E402 - Django must be set up before its models can be imported

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

import numpy as np
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from annotation.models import Face, Identity, Photo
from benchmarks.machine import save, tell
from config.embedded.services import running
from tests.factories import World, make_users, make_world

BUDGET_MS = 150.0


def sizes_for(faces: int) -> list[int]:
    """Sizes of clusters that hold about 85% of `faces`; the rest stand alone."""
    return [max(faces // 10, 2), *[10] * (faces // 20), *[2] * (faces // 8)]


def addresses(world: World) -> dict[str, str]:
    """The pages that this asks for."""
    first = reverse("ui:clusters")
    return {
        "clusters": first,
        "clusters by doubt": f"{first}?sort=doubt",
        "clusters without a name": f"{first}?named=no",
        "large cluster": reverse("ui:cluster", args=[world.clusters[0].pk]),
        "cluster of ten": reverse("ui:cluster", args=[world.clusters[1].pk]),
        "people": reverse("ui:people"),
        "person": reverse("ui:person", args=[world.people[0].pk]),
    }


def measure(client: Client, address: str, repeats: int) -> dict[str, float]:
    """Queries, and milliseconds from request to rendered answer within the process."""
    statements: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        began = time.perf_counter()
        answer = client.get(address)
        first = time.perf_counter() - began
    assert answer.status_code == 200
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        client.get(address)
        seconds.append(time.perf_counter() - began)
    return {
        "queries": len(statements),
        "first_ms": round(1000 * first, 1),
        "best_ms": round(1000 * min(seconds), 1),
        "median_ms": round(1000 * float(np.median(seconds)), 1),
        "p95_ms": round(1000 * float(np.percentile(seconds, 95)), 1),
        "kilobytes": round(len(answer.content) / 1000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", default="100,10000,100000")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--save", action="store_true", help="keep the results in benchmarks/results")
    options = parser.parse_args()
    home = Path(settings.LOUPE_HOME)
    settings.ALLOWED_HOSTS.append("testserver")
    results = []
    with running(home, want_broker=False, durable=False):
        call_command("migrate", verbosity=0)
        client = Client()
        client.force_login(make_users()["manager"])
        for faces in map(int, options.faces.split(",")):
            sizes = sizes_for(faces)
            world = make_world(
                sizes, alone=faces - sum(sizes), seed=faces, names=[f"Person of {faces}"] * (len(sizes) // 2)
            )
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            rows = {"faces": Face.objects.count(), "people": Identity.objects.count(), "photos": Photo.objects.count()}
            for page, address in addresses(world).items():
                found = measure(client, address, options.repeats)
                budget = BUDGET_MS if page.startswith("clusters") else None
                results.append({"page": page, "clusters": len(sizes), **rows, **found, "budget_ms": budget})
                tell(results[-1])
    if options.save:
        save("cluster_grid", results, command="python -m benchmarks.cluster_grid --save")
    shutil.rmtree(settings.ENV.runtime, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
