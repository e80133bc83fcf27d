"""Starts programs in order, restarts what dies with a growing pause, stops all in reverse order."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from config.embedded import child
from config.embedded.child import Program
from config.embedded.layout import ServiceProblem

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
STEADY_SECONDS = 10.0  # a program that ran this long starts again without a pause

Say = Callable[[str], None]


@dataclass
class Service:
    """A program that must always run. `before` mends what an earlier run left; `ready` tells when others may start."""

    program: Program
    before: Callable[[], None] = lambda: None
    ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)
    pause: float = field(default=0.0, init=False)
    due: float = field(default=0.0, init=False)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self.before()
        self.process = child.start(self.program)
        self.started = time.monotonic()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.program.stop_signal)

    def await_stop(self) -> None:
        if self.process is not None:
            child.await_stop(self.process, self.program)
            self.process = None


class Supervisor:
    """Keeps services running. All its methods are called from one thread, which must outlive the services."""

    def __init__(self, *, say: Say = lambda line: None) -> None:
        self._waves: list[list[Service]] = []
        self.say = say
        self.closing = threading.Event()  # set from any thread: no more waiting, everything will be stopped

    @property
    def services(self) -> list[Service]:
        return [service for wave in self._waves for service in wave]

    def start(self, services: Sequence[Service], *, seconds: float = 60.0) -> None:
        """Start `services`, one wave, and wait until each is ready. Raises ServiceProblem with the end of its log."""
        wave: list[Service] = []
        self._waves.append(wave)
        for service in services:
            wave.append(service)
            service.start()
        deadline = time.monotonic() + seconds
        for service in services:
            while not service.ready():
                if not service.alive or time.monotonic() > deadline:
                    raise ServiceProblem(_failure(service))
                if self.closing.wait(0.05):
                    raise ServiceProblem("Stopped while starting.")

    def tick(self) -> None:
        """Restart what has died and is due. Call about twice a second."""
        now = time.monotonic()
        for service in self.services:
            if service.process is None:
                if now >= service.due:
                    self._restart(service)
            elif service.process.poll() is not None:
                self._bury(service, now)

    def stop(self) -> None:
        """Stop everything, the last wave first: who needs the database is gone before it goes."""
        while self._waves:
            wave = self._waves.pop()
            for service in wave:
                service.ask_to_stop()
            for service in wave:
                service.await_stop()

    def _bury(self, service: Service, now: float) -> None:
        assert service.process is not None  # noqa: S101 - tick() has looked
        child.kill_group(service.process.pid)
        steady = now - service.started > STEADY_SECONDS
        service.pause = FIRST_PAUSE if steady or not service.pause else min(2 * service.pause, LONGEST_PAUSE)
        service.due = now + service.pause
        self.say(f"{service.program.name} ended ({_reason(service.process.returncode)}); starting it again")
        service.process = None

    def _restart(self, service: Service) -> None:
        try:
            service.start()
        except (OSError, ServiceProblem) as problem:
            service.pause = min(2 * max(service.pause, FIRST_PAUSE), LONGEST_PAUSE)
            service.due = time.monotonic() + service.pause
            self.say(f"{service.program.name} can't be started: {problem}")


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _failure(service: Service) -> str:
    code = service.process.poll() if service.process else None
    what = "did not become ready" if code is None else f"ended with {_reason(code)}"
    log = service.program.log
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return f"The {service.program.name} {what}; the end of {log}: {lines[-1] if lines else '(empty)'}"
