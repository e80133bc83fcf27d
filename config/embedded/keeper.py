"""The thread that starts, watches and stops services: children die with the thread that started them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Self

from config.embedded.supervisor import Say, Service, Supervisor

TICK_SECONDS = 0.25


class Keeper:
    """A supervisor with its own thread, for as long as a `with` block lasts."""

    def __init__(self, *, say: Say = lambda line: None) -> None:
        self.supervisor = Supervisor(say=say)
        self._wanted: queue.SimpleQueue[tuple[Sequence[Service], Future[None]]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._keep, name="embedded-services", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.closing.set()
        self._thread.join()

    def start(self, services: Sequence[Service]) -> None:
        """Start services and wait until all are ready. Raises ServiceProblem."""
        started: Future[None] = Future()
        self._wanted.put((services, started))
        started.result()

    def _keep(self) -> None:
        try:
            while not self.supervisor.closing.is_set():
                self._start_wanted()
                self.supervisor.tick()
        finally:
            self.supervisor.stop()

    def _start_wanted(self) -> None:
        try:
            services, started = self._wanted.get(timeout=TICK_SECONDS)
        except queue.Empty:
            return
        try:
            self.supervisor.start(services)
        except Exception as problem:
            started.set_exception(problem)
        else:
            started.set_result(None)
