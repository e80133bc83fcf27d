"""The live server's requests end with the test that caused them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE_S = 60


class Gate:
    """WSGI middleware that lets requests in while a test runs and, at its end, waits for those under way.

    A page that closes leaves requests behind; what these lock would keep the next test from an empty database.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._changed = threading.Condition()
        self._is_open = False
        self._under_way: set[Visit] = set()

    @contextmanager
    def open(self) -> Iterator[None]:
        with self._changed:
            self._is_open = True
        try:
            yield
        finally:
            with self._changed:
                self._is_open = False
                assert self._changed.wait_for(lambda: not self._under_way, PATIENCE_S), "a request doesn't end"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        visit = Visit(self)
        if not self._enter(visit):
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        try:
            visit.body = self._application(environ, start_response)
        except BaseException:
            self.leave(visit)
            raise
        return visit

    def _enter(self, visit: Visit) -> bool:
        with self._changed:
            if self._is_open:
                self._under_way.add(visit)
            return self._is_open

    def leave(self, visit: Visit) -> None:
        with self._changed:
            self._under_way.discard(visit)
            self._changed.notify_all()


class Visit:
    """A response whose request is under way until the server closes it."""

    body: Any

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def close(self) -> None:
        try:
            self.body.close()
        finally:
            self._gate.leave(self)
