"""All of Loupe in one `with` block: what is not configured by address, then web server, workers and dispatcher."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from config.embedded import programs, services
from config.embedded.keeper import Keeper
from config.embedded.layout import Layout, ServiceProblem
from config.embedded.lock import HomeLock
from config.embedded.services import Running
from config.embedded.supervisor import Say, Service
from config.environment import Environment


def silent(line: str) -> None:
    """Says nothing."""


@contextmanager
def platform(
    *, workers: int | None = None, web: bool = True, share: bool = False, durable: bool = True, say: Say = silent
) -> Iterator[Running]:
    """Run Loupe as the settings describe it; stop all of it at the end. `say` is called with one line for a person.

    If another process already runs this home: with `share`, its platform is used and left running, else
    ServiceProblem is raised. It is also raised when something can't be started.
    """
    environment: Environment = settings.ENV
    layout = Layout.of(environment.home)
    layout.prepare()
    lock = HomeLock(layout.lock)
    if not lock.acquire():
        if not share:
            raise ServiceProblem(f"Loupe already runs in {layout.home} (process {lock.holder()}).")
        wanted: dict[str, Any] = {
            "want_database": environment.database.embedded,
            "want_broker": environment.broker_embedded,
        }
        yield services.share(layout, lock, **wanted)
        return
    try:
        if web:
            programs.check_address_free(environment)
        with Keeper(say=say) as keeper:
            keeper.start(_state(layout, environment, durable=durable))
            call_command("migrate", interactive=False, verbosity=0)
            connections.close_all()
            keeper.start(_processes(layout, environment, workers or environment.workers, web=web))
            yield Running(layout, keeper.supervisor, shared=False)
            connections.close_all()
    finally:
        lock.release()


def _state(layout: Layout, environment: Environment, *, durable: bool) -> list[Service]:
    found = []
    if environment.database.embedded:
        found.append(services.database(layout, durable=durable))
    if environment.broker_embedded:
        found.append(services.broker(layout, durable=durable))
    return found


def _processes(layout: Layout, environment: Environment, workers: int, *, web: bool) -> list[Service]:
    found = [programs.web(layout, environment)] if web else []
    found += [programs.worker(layout, environment, number, workers) for number in range(1, workers + 1)]
    return [*found, programs.dispatcher(layout, environment)]
