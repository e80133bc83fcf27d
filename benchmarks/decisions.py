"""Milliseconds that a person's decision takes, by how many faces it touches, and seconds until labels are made anew.

    python -m benchmarks.decisions [--faces 100000] [--sizes 10,1000,10000,50000] [--repeats 15]

The ledger holds 1,000 decisions beforehand. Every call is committed and then undone, in a database of its own that is
thrown away. Measured is the service call, without HTTP. One JSON line per verb and size of the cluster.
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
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from annotation.models import Cluster, Decision, Label
from annotation.services.clusters import confirm_cluster, reject_from_cluster, split_cluster
from annotation.services.decisions import By, decide, revert
from annotation.services.identities import answer_pair, merge_people, name_person, set_aside
from annotation.services.labels import refresh_labels
from benchmarks.machine import save, tell
from config.embedded.services import running
from tests.factories import World, make_users, make_world

BUDGET_MS = 50.0
LEDGER = 1000


def verbs(cluster: Cluster, other: Cluster, by: By) -> dict[str, Callable[[], Any]]:
    """What a person does with the cluster."""
    faces = list(cluster.members.exclude(face=cluster.medoid_id).values_list("face_id", flat=True)[:3])
    person, second = cluster.identity_id or 0, other.identity_id or 0
    return {
        "confirm": lambda: confirm_cluster(cluster_id=cluster.pk, by=by)[1],
        "confirm and name": lambda: confirm_cluster(cluster_id=cluster.pk, name="Anna", by=by)[1],
        "name": lambda: name_person(identity_id=person, name="Anna", by=by),
        "reject 3 faces": lambda: reject_from_cluster(cluster_id=cluster.pk, faces=faces, by=by),
        "split 3 faces": lambda: split_cluster(cluster_id=cluster.pk, faces=faces, by=by)[1],
        "merge into another": lambda: merge_people(identity_id=person, into_id=second, by=by),
        "answer a pair": lambda: answer_pair(face_a=faces[0], face_b=other.medoid_id, same=False, by=by),
        "set 3 faces aside": lambda: set_aside(faces=faces, kind="ignore", by=by),
    }


def measure(say: Callable[[], list[Decision]], user: User, repeats: int) -> dict[str, Any]:
    """Milliseconds of the verb and of taking it back; the first run counts queries and is left out."""
    said: list[float] = []
    undone: list[float] = []
    with CaptureQueriesContext(connection) as caught:
        made = say()
    revert(user=user, decision_id=made[0].pk)
    for _ in range(repeats):
        began = time.perf_counter()
        made = say()
        said.append(time.perf_counter() - began)
        began = time.perf_counter()
        revert(user=user, decision_id=made[0].pk)
        undone.append(time.perf_counter() - began)
    return {
        "queries": len(caught),
        "median_ms": round(1000 * float(np.median(said)), 1),
        "p95_ms": round(1000 * float(np.percentile(said, 95)), 1),
        "undo_median_ms": round(1000 * float(np.median(undone)), 1),
        "budget_ms": BUDGET_MS,
    }


def fill_ledger(world: World, user: User) -> None:
    """Decisions about faces that stand alone, as a ledger in use has them."""
    alone = list(Label.objects.filter(reason="singleton").values_list("face_id", flat=True)[: 2 * LEDGER])
    for a, b in zip(alone[::2], alone[1::2], strict=True):
        decide(user=user, kind="different", faces=[a], others=[b])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--sizes", default="10,1000,10000,50000")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--save", action="store_true", help="keep the results in benchmarks/results")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    home = Path(settings.LOUPE_HOME)
    results: list[dict[str, Any]] = []
    with running(home, want_broker=False, durable=True):
        call_command("migrate", verbosity=0)
        user = make_users()["manager"]
        spare = (options.faces - sum(sizes)) // 2
        world = make_world([*sizes, *[10] * (spare // 10)], alone=spare)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        fill_ledger(world, user)
        by = By(user, seconds=1.0, evidence={"run": world.run.pk})
        by_size = {cluster.size: cluster for cluster in reversed(world.clusters)}
        for size in sizes:
            for verb, say in verbs(by_size[size], world.clusters[-1], by).items():
                found = measure(say, user, options.repeats)
                results.append({"verb": verb, "cluster": size, "faces": options.faces, **found})
                tell(results[-1])
        for name in ("first", "again"):
            began = time.perf_counter()
            done = refresh_labels().as_dict()
            seconds = round(time.perf_counter() - began, 2)
            results.append({"refresh": name, "entries": Decision.objects.count(), "seconds": seconds, **done})
            tell(results[-1])
        connection.close()
    if options.save:
        save("decisions", results, command="python -m benchmarks.decisions --save")
    shutil.rmtree(settings.ENV.runtime, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
