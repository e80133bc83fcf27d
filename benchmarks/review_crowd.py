"""Annotators at work, each a thread with a connection of its own, and what they saw."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.conf import settings

ARRIVAL_SECONDS = 10.0  # within which the annotators come to work
LEASED = 10
SEED = 1


@dataclass
class Log:
    """What all annotators saw; lists only grow, so threads need no lock."""

    calls: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    server: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)
    votes: list[tuple[int, str, int]] = field(default_factory=list)  # (item, annotator, vote)
    decisions: list[int] = field(default_factory=list)
    leases: list[tuple[float, str, int]] = field(default_factory=list)  # (time, annotator, item)
    given_back: list[tuple[float, str, int]] = field(default_factory=list)


class Browser:
    """One annotator's connection."""

    def __init__(self, name: str, secret: str, session: str, log: Log) -> None:
        self.name, self._log = name, log
        self._http = http.client.HTTPConnection(settings.ENV.bind_host, settings.ENV.bind_port, timeout=60)
        self._api = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self._page = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}

    def call(self, what: str, method: str, address: str, body: Any = None) -> Any:
        """The JSON of a REST call, or the length of a page; None where it was refused."""
        headers = self._api if address.startswith("/api/") else self._page
        began = time.perf_counter()
        self._http.request(method, address, None if body is None else json.dumps(body), headers)
        answer = self._http.getresponse()
        data = answer.read()
        self._log.calls[what].append(time.perf_counter() - began)
        self._log.server[what].append(float(answer.getheader("Server-Timing", "").partition("dur=")[2] or "nan") / 1000)
        if answer.status >= 400:
            code = json.loads(data).get("code") if data[:1] == b"{" else ""
            self._log.refused[f"{what}: {answer.status} {code}"] += 1
            return None
        return json.loads(data) if address.startswith("/api/") and data else len(data)


class Annotator(threading.Thread):
    """Works until the deadline."""

    def __init__(self, number: int, browser: Browser, batch: int, clusters: list[int], pace: float, until: float):
        super().__init__(daemon=True)
        self.browser, self.batch, self.clusters, self.pace, self.until = browser, batch, clusters, pace, until
        self.rng = np.random.default_rng([SEED, number])
        self.log = browser._log
        self.failure: Exception | None = None

    def run(self) -> None:
        time.sleep(float(self.rng.uniform(0, ARRIVAL_SECONDS)))
        try:
            while time.monotonic() < self.until:
                self.sitting()
        except Exception as failure:
            self.failure = failure

    def think(self) -> None:
        time.sleep(self.pace * float(self.rng.uniform(0.5, 1.5)))

    def sitting(self) -> None:
        """A page of questions, then a cluster."""
        self.browser.call("review page", "GET", f"/review/{self.batch}/")
        address = f"/api/v1/review/batches/{self.batch}/lease"
        leased = self.browser.call("lease", "POST", address, {"count": LEASED})
        if leased is None:
            return
        now = time.monotonic()
        self.log.leases.extend((now, self.browser.name, item["id"]) for item in leased["items"])
        for item in leased["items"]:
            if time.monotonic() >= self.until:
                break
            self.question(item)
        if self.rng.random() < 0.5:
            self.browser.call("release", "POST", f"/api/v1/review/batches/{self.batch}/release")
            now = time.monotonic()
            self.log.given_back.extend((now, self.browser.name, item["id"]) for item in leased["items"])
        self.cluster()

    def question(self, item: dict[str, Any]) -> None:
        for face in item["faces"]:
            self.browser.call("crop", "GET", f"/crops/{face}.png")
        self.think()
        chance = float(self.rng.random())
        if chance < 0.08:
            self.vote("skip", item, f"/api/v1/review/items/{item['id']}/skip", {})
            return
        answer = "same" if self.rng.random() < 0.3 else "different"
        vote = self.vote(
            "answer", item, f"/api/v1/review/items/{item['id']}/answer", {"answer": answer, "seconds": 2.0}
        )
        if vote is not None and chance > 0.9:
            self.decided("undo", "/api/v1/decisions/undo", {})
            if chance > 0.95:
                self.decided("redo", "/api/v1/decisions/redo", {})

    def vote(self, what: str, item: dict[str, Any], address: str, body: Any) -> int | None:
        given = self.browser.call(what, "POST", address, body)
        if given is None:
            return None
        self.log.votes.append((item["id"], self.browser.name, given["vote"]))
        self.log.given_back.append((time.monotonic(), self.browser.name, item["id"]))
        return int(given["vote"])

    def cluster(self) -> None:
        cluster = int(self.rng.choice(self.clusters))
        self.browser.call("cluster page", "GET", f"/clusters/{cluster}/")
        faces = self.browser.call("cluster faces", "GET", f"/api/v1/clusters/{cluster}/faces")
        self.think()
        if faces is None:
            return
        if self.rng.random() < 0.7:
            body = {"kind": "assign", "cluster": cluster, "seconds": 5.0}
            self.decided("confirm a cluster", "/api/v1/decisions", body)
        else:
            some = [row["face"] for row in faces["results"][:3]]
            self.decided("split a cluster", "/api/v1/decisions", {"kind": "split", "faces": some, "text": "Somebody"})

    def decided(self, what: str, address: str, body: Any) -> None:
        made = self.browser.call(what, "POST", address, body)
        if made is not None:
            self.log.decisions.extend(one["id"] for one in made["decisions"])
