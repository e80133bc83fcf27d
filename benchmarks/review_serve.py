"""Does the workbench keep up with many annotators at once, on a database of a million faces?

Made-up rows (`review_world.py`) in a home of its own; the web server, the worker and the dispatcher run as
`manage.py up` runs them. Each annotator (`review_crowd.py`) is a thread with a connection of its own, talks HTTP over
loopback and does what a fast person's browser does: opens the review page, leases questions, loads the crops, answers,
skips, undoes and redoes, looks into clusters, confirms and splits them. Between two actions it waits `--pace` seconds.

One JSON line per call: how often, queries (here and in a database of a tenth of the size), p50 and p99 milliseconds
as the client sees them, and of these within the server (`Server-Timing`); then a line about what the database holds in
the end against what was answered, and how much of a core each part took, the annotators themselves included.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import psycopg
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection, connections
from django.db.models import Count
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from accounts.services import create_token, create_user
from annotation.models import Cluster, Decision
from benchmarks.machine import save, tell
from benchmarks.review_crowd import LEASED, Annotator, Browser, Log
from benchmarks.review_home import START, copy_database
from benchmarks.review_world import fill
from config.embedded import postgres
from config.embedded.layout import Layout
from config.embedded.platform import platform
from config.embedded.services import running
from jobs.models import Job
from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.vote_queries import SKIP

GOAL_MS = 100.0
LEASE_SECONDS = 120.0
PARTS = {"gunicorn": "web", "bin/postgres": "database", "postgres:": "database", "celery": "worker"}
PARTS |= {"dispatch": "dispatcher", "valkey": "broker"}
DECISIONS = ("answer", "skip", "undo", "redo", "confirm a cluster", "split a cluster")


def serve(home: Path, options: argparse.Namespace) -> int:
    """Fill, count queries at two sizes, then let everybody work."""
    small = (options.faces // 10, options.clusters // 10)
    queries = [count_queries(home, faces, clusters) for faces, clusters in (small, (options.faces, options.clusters))]
    with running(home, want_broker=False) as services:
        copy_database(home, start_of(options.faces, options.clusters), settings.DATABASES["default"]["NAME"])
        rest(services.layout)
    log = Log()
    with platform(workers=1):
        people, batch, clusters = prepare(options.annotators, log)
        before = Decision.objects.count()
        spent, began = cpu_seconds(), time.monotonic()
        until = time.monotonic() + options.seconds
        threads = [
            Annotator(number, one, batch, clusters, options.pace, until) for number, one in enumerate(people, start=1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took, after = time.monotonic() - began, cpu_seconds()
        cores = {part: round((after[part] - spent[part]) / took, 2) for part in after}
        results = list(lines_of(log, queries, options))
        results.append(check(log, threads, before, options) | {"cores_used": cores})
        connections.close_all()
    for line in results:
        tell(line)
    if options.save:
        save("review-serve", results, command="python -m benchmarks.review serve")
    return 0


def prepare(annotators: int, log: Log) -> tuple[list[Browser], int, list[int]]:
    """The annotators' browsers, the batch, and clusters of every size."""
    people = []
    for number in range(1, annotators + 1):
        name = f"annotator{number}"
        user = User.objects.filter(username=name).first() or create_user(username=name, role=Role.DATA_ENGINEER)
        people.append(Browser(name, create_token(user=user, name="benchmark")[1], session_of(user), log))
    found = list(Cluster.objects.filter(size__gt=6).order_by("pk").values_list("pk", flat=True))
    return people, ReviewBatch.objects.get().pk, found


def session_of(user: User) -> str:
    """The key of a session in which the user is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def cpu_seconds() -> Counter[str]:
    """Processor time so far of each part of the installation, of the annotators, which are this process, and of all
    else that the machine does."""
    all_cores = psutil.cpu_times()
    own = psutil.Process()
    spent = Counter({"annotators": sum(own.cpu_times()[:2])})
    for child in own.children(recursive=True):
        with suppress(psutil.Error):
            command = " ".join(child.cmdline())
            part = next((name for word, name in PARTS.items() if word in command), "other")
            # What has ended of the database's processes is counted by the one that began them.
            spent[part] += sum(child.cpu_times()[: 4 if part == "database" else 2])
    busy = sum(all_cores) - all_cores.idle - all_cores.iowait - all_cores.guest - all_cores.guest_nice
    return spent | Counter({"elsewhere": busy - sum(spent.values())})


def start_of(faces: int, clusters: int) -> str:
    """The database with so many rows, before anybody decided anything."""
    return f"{START}_{faces}_{clusters}"


def count_queries(home: Path, faces: int, clusters: int) -> dict[str, int]:
    """Statements that each call makes, without a server; fills the database of that size if it is not there yet."""
    name, start = settings.DATABASES["default"]["NAME"], start_of(faces, clusters)
    with running(home, want_broker=False) as services:
        connections.close_all()
        if not holds(services.layout, start):
            copy_database(home, "template0", name)
            call_command("migrate", verbosity=0)
            began = time.perf_counter()
            fill(services.layout, faces=faces, clusters=clusters)
            tell({"benchmark": "serve", "faces": faces, "fill_seconds": round(time.perf_counter() - began, 1)})
            connections.close_all()
            copy_database(home, name, start)
        else:
            copy_database(home, start, name)
            call_command("migrate", verbosity=0)
        found = _count()
        connections.close_all()
    return found


def rest(layout: Layout) -> None:
    """Until all that was copied is on disk: nobody's commit shall wait behind it."""
    with psycopg.connect(host=str(layout.runtime), user=postgres.OWNER, dbname="postgres", autocommit=True) as admin:
        admin.execute("CHECKPOINT")
    os.sync()


def holds(layout: Layout, database: str) -> bool:
    """Whether the running server has this database."""
    with psycopg.connect(host=str(layout.runtime), user=postgres.OWNER, dbname="postgres") as admin:
        return admin.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is not None


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements run within."""
    statements: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements


def _count() -> dict[str, int]:
    """Statements per call; each is made once beforehand, so that what is read once per process does not count."""
    user = create_user(username="counter", role=Role.DATA_ENGINEER)
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    batch = ReviewBatch.objects.get().pk
    items = list(ReviewItem.objects.order_by("ordinal")[:4])
    cluster = Cluster.objects.filter(size__gt=6).order_by("-pk")[0]
    split = list(cluster.members.exclude(face=cluster.medoid_id).values_list("face_id", flat=True)[:3])
    review = f"/api/v1/review/batches/{batch}"
    calls: dict[str, Callable[[int], tuple[str, str, Any]]] = {
        "review page": lambda n: ("GET", f"/review/{batch}/", None),
        "lease": lambda n: ("POST", f"{review}/lease", {"count": LEASED}),
        "crop": lambda n: ("GET", f"/crops/{items[n].faces[0]}.png", None),
        "answer": lambda n: ("POST", f"/api/v1/review/items/{items[n].pk}/answer", {"answer": "different"}),
        "skip": lambda n: ("POST", f"/api/v1/review/items/{items[2 + n].pk}/skip", {}),
        "undo": lambda n: ("POST", "/api/v1/decisions/undo", {}),
        "redo": lambda n: ("POST", "/api/v1/decisions/redo", {}),
        "release": lambda n: ("POST", f"{review}/release", {}),
        "cluster page": lambda n: ("GET", f"/clusters/{cluster.pk}/", None),
        "cluster faces": lambda n: ("GET", f"/api/v1/clusters/{cluster.pk}/faces", None),
        "confirm a cluster": lambda n: ("POST", "/api/v1/decisions", {"kind": "assign", "cluster": cluster.pk}),
        "split a cluster": lambda n: ("POST", "/api/v1/decisions", {"kind": "split", "faces": split, "text": "A"}),
    }
    found: dict[str, int] = {}
    for name, make in calls.items():
        for turn in range(2):
            method, address, body = make(turn)
            with counted() as statements:
                if method == "GET":
                    answer = client.get(address)
                else:
                    answer = client.post(address, json.dumps(body), content_type="application/json")
            if answer.status_code >= 400:
                raise SystemExit(f"{name}: {answer.status_code} {answer.content[:300]!r}")
            b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
            found[name] = len(statements)
    return found


def lines_of(log: Log, queries: list[dict[str, int]], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One line per call."""
    for what, seconds in sorted(log.calls.items(), key=lambda both: both[0]):
        line: dict[str, Any] = {"benchmark": "serve", "call": what, "count": len(seconds)}
        line |= quantiles(seconds) | {f"server_{name}": value for name, value in quantiles(log.server[what]).items()}
        line |= {"queries": queries[1].get(what), "queries_at_a_tenth": queries[0].get(what)}
        yield line | ({"goal_ms": GOAL_MS} if what in DECISIONS else {})


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    return {f"p{share}_ms": round(1000 * float(np.percentile(seconds, share)), 1) for share in (50, 99)}


def check(log: Log, threads: list[Annotator], before: int, options: argparse.Namespace) -> dict[str, Any]:
    """What the database holds against what was answered."""
    votes = {(item, user, vote) for item, user, vote in log.votes}
    kept = set(ReviewVote.objects.values_list("item_id", "user__username", "pk"))
    present = set(Decision.objects.values_list("pk", flat=True))
    answers = ReviewVote.objects.filter(withdrawn_at=None).exclude(answer=SKIP)
    answered = answers.values("item").annotate(people=Count("user", distinct=True))
    all_seconds = [one for what in DECISIONS for one in log.calls[what]]
    server = [one for what in DECISIONS for one in log.server[what]]
    labels = list(Job.objects.filter(kind="labels", state="finished"))
    return {
        "benchmark": "serve",
        "faces": options.faces,
        "clusters": options.clusters,
        "annotators": options.annotators,
        "seconds": options.seconds,
        "pace": options.pace,
        "decisions": len(all_seconds),
        "decisions_per_second": round(len(all_seconds) / options.seconds, 1),
        **quantiles(all_seconds),
        "goal_ms": GOAL_MS,
        **{f"server_{name}": value for name, value in quantiles(server).items()},
        "calls_per_second": round(sum(map(len, log.calls.values())) / options.seconds, 1),
        "votes": len(votes),
        "votes_lost": len(votes - kept),
        "decisions_lost": len(set(log.decisions) - present),
        "entries_in_the_ledger": len(present) - before,
        "given_twice": given_twice(log),
        "answered_by_two": answered.filter(people__gt=1).count(),
        "refused": dict(log.refused),
        "failures": [repr(thread.failure) for thread in threads if thread.failure],
        "label_jobs": len(labels),
        "label_job_faces": [(job.result or {}).get("faces") for job in labels],
    }


def given_twice(log: Log) -> int:
    """Items that somebody got while another one had them: the lease still held, with no answer and not given back."""
    events = [(at, True, who, item) for at, who, item in log.leases]
    events += [(at, False, who, item) for at, who, item in log.given_back]
    holder: dict[int, tuple[str, float]] = {}
    count = 0
    for at, taken, who, item in sorted(events):
        other, since = holder.get(item, (who, at))
        if taken:
            count += other != who and at - since < LEASE_SECONDS
            holder[item] = who, at
        elif other == who:
            holder.pop(item, None)
    return count
