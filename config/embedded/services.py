"""PostgreSQL and Valkey of one home, for as long as a `with` block lasts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from config.embedded import postgres, valkey
from config.embedded.keeper import Keeper
from config.embedded.layout import Layout, ServiceProblem, check_private
from config.embedded.lock import HomeLock
from config.embedded.supervisor import Service, Supervisor


@dataclass(frozen=True)
class Running:
    """Services that answer. `shared`: another process supervises them, so they outlive us."""

    layout: Layout
    supervisor: Supervisor
    shared: bool

    @property
    def database_url(self) -> str:
        return f"postgresql://{postgres.ROLE}@/{postgres.ROLE}?host={self.layout.runtime}"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.layout.runtime / 'valkey.sock'}"


def database(layout: Layout, *, durable: bool = True) -> Service:
    return Service(
        postgres.program(layout, durable=durable), partial(postgres.prepare, layout), partial(postgres.ready, layout)
    )


def broker(layout: Layout, *, durable: bool = True) -> Service:
    return Service(
        valkey.program(layout, durable=durable), partial(valkey.prepare, layout), partial(valkey.ready, layout)
    )


@contextmanager
def running(
    home: Path, *, want_database: bool = True, want_broker: bool = True, durable: bool = True
) -> Iterator[Running]:
    """Start what is wanted, watch over it in a thread, stop it at the end.

    If another process already runs this home, its services are shared and left running. Raises ServiceProblem.
    """
    layout = Layout.of(home)
    layout.prepare()
    lock = HomeLock(layout.lock)
    if not lock.acquire():
        yield share(layout, lock, want_database=want_database, want_broker=want_broker)
        return
    wanted = [database(layout, durable=durable)] if want_database else []
    wanted += [broker(layout, durable=durable)] if want_broker else []
    try:
        with Keeper() as keeper:
            keeper.start(wanted)
            yield Running(layout, keeper.supervisor, shared=False)
    finally:
        lock.release()


def share(layout: Layout, lock: HomeLock, *, want_database: bool, want_broker: bool) -> Running:
    """The services that the holder of the lock runs, once they answer. Raises ServiceProblem after a minute."""
    deadline = time.monotonic() + 60.0
    check_private(layout.runtime)
    while (want_database and not postgres.ready(layout)) or (want_broker and not valkey.ready(layout)):
        if time.monotonic() > deadline:
            raise ServiceProblem(f"{layout.home} is in use by process {lock.holder()}, whose services do not answer.")
        time.sleep(0.2)
    return Running(layout, Supervisor(), shared=True)
