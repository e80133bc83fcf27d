from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.embedded.layout import ServiceProblem
from config.embedded.platform import platform


class Command(BaseCommand):
    help = "Start everything that Loupe needs and keep it running; Ctrl-C stops all of it."
    requires_system_checks: list[str] = []  # the database may not be running yet

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", type=int, help="job worker processes; default LOUPE_WORKERS")
        parser.add_argument("--no-web", action="store_true", help="workers only, as on a second machine")

    def handle(self, *args: Any, workers: int | None, no_web: bool, **options: Any) -> None:
        if workers is not None and not 0 < workers <= 256:
            raise CommandError("--workers must be from 1 to 256.")
        stop = _StopSignals()
        try:
            with platform(workers=workers, web=not no_web, say=self._say) as running:
                address = settings.ENV.public_url or f"http://{settings.ENV.bind_host}:{settings.ENV.bind_port}"
                self._say(f"Loupe runs{'' if no_web else f' at {address}'}; logs are in {running.layout.logs}")
                stop.wait()
                self._say("Stopping ...")
        except ServiceProblem as problem:
            raise CommandError(str(problem)) from problem
        except KeyboardInterrupt:
            raise CommandError("Stopped while starting.") from None

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


class _StopSignals:
    """Ctrl-C and SIGTERM: they interrupt the start, and later end the wait."""

    def __init__(self) -> None:
        self._asked, self._waiting = threading.Event(), False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def wait(self) -> None:
        self._waiting = True
        self._asked.wait()

    def _handle(self, number: int, frame: object) -> None:
        if not self._waiting:
            raise KeyboardInterrupt
        self._asked.set()
