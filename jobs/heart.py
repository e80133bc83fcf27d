"""One thread per process that renews leases, learns of cancellation and samples memory while work goes on."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil
from django.db import DatabaseError, InterfaceError, connection

from jobs import leases

log = logging.getLogger(__name__)

BEAT_SECONDS = leases.LEASE.total_seconds() / 4
SAMPLE_SECONDS = 1.0


@dataclass(eq=False)
class Grip:
    """A claim that is being worked on, and what the heart has learnt about it."""

    job_id: int
    token: uuid.UUID
    lost: bool = False
    cancelled: bool = False
    peak_rss_mb: int = field(default_factory=lambda: resident_mb(children=False))


def resident_mb(*, children: bool) -> int:
    """Resident memory of this process in MiB, with all that it started if `children` (which takes milliseconds)."""
    me = psutil.Process()
    total = 0
    for process in [me, *(me.children(recursive=True) if children else [])]:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total // 2**20


class Heart:
    """Beats while at least one grip is held; its database connection is closed as soon as none is."""

    def __init__(self) -> None:
        self._grips: set[Grip] = set()
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def holding(self, grip: Grip) -> Iterator[None]:
        """Keep the lease of `grip` alive for the length of the block."""
        if connection.in_atomic_block:
            # Inside another transaction (tests, commands) our rows are not visible to the thread.
            yield
            return
        with self._change:
            self._grips.add(grip)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat_on, name="lease-heart", daemon=True)
                self._thread.start()
            self._change.notify()
        try:
            yield
        finally:
            grip.peak_rss_mb = max(grip.peak_rss_mb, resident_mb(children=False))
            with self._change:
                self._grips.discard(grip)
                self._change.notify()

    def _beat_on(self) -> None:
        last = time.monotonic()
        while True:
            with self._change:
                if not self._grips:
                    connection.close()
                    self._change.wait()
                    last = time.monotonic()
                self._change.wait(SAMPLE_SECONDS)
                grips = list(self._grips)
            self._sample(grips)
            if grips and time.monotonic() - last >= BEAT_SECONDS:
                last = time.monotonic()
                self._beat(grips)

    def _sample(self, grips: list[Grip]) -> None:
        resident = resident_mb(children=True) if grips else 0
        for grip in grips:
            grip.peak_rss_mb = max(grip.peak_rss_mb, resident)

    def _beat(self, grips: list[Grip]) -> None:
        try:
            held = leases.renew(grip.token for grip in grips)
            cancelled = leases.cancel_requested(grip.job_id for grip in grips)
        except (DatabaseError, InterfaceError) as error:
            # The database may be starting again; nobody can take the work over before it answers.
            log.warning("leases were not renewed: %s", type(error).__name__)
            connection.close()
            return
        for grip in grips:
            grip.lost = grip.token not in held
            grip.cancelled = grip.job_id in cancelled


heart = Heart()
