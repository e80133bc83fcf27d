"""What a kind's `run` holds in its hands: reports, progress, and the news that it should stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from foundation.errors import Cancelled, LoupeError
from jobs import leases, reports
from jobs.heart import Grip
from jobs.leases import LeaseLost
from jobs.models import Job, Unit

LOOK_SECONDS = 1.0
OUTAGE_SECONDS = 60.0

# Set when this worker process was asked to stop: units give their work back at the next check.
stopping = threading.Event()


class WaitFor(Exception):
    """Raised from `JobKind.run`: go on with this unit when job `job_id` has ended."""

    def __init__(self, job_id: int) -> None:
        super().__init__(f"waits for job {job_id}")
        self.job_id = job_id


class Interrupted(Cancelled):
    """This worker is stopping; another will go on."""

    code = "interrupted"


class UnitRun:
    """One run of one batch. Use it from the thread that runs the batch."""

    def __init__(self, job: Job, units: Sequence[Unit], grip: Grip, *, max_attempts: int) -> None:
        self._job_id, self._units, self._grip, self._max_attempts = job.pk, units, grip, max_attempts
        self._open = {unit.pk for unit in units}
        self._looked = self._reported = time.monotonic()
        self._wrote = 0.0

    @property
    def batch_size(self) -> int:
        return len(self._units)

    def done(self, unit: Unit, result: Any = None, *, flaw: LoupeError | None = None) -> None:
        """Report a unit as done with a JSON result. Inside `transaction.atomic()` it commits with your own writes.

        A `flaw` says that something in the unit failed all the same: its job will have finished with errors, and a
        retry runs the unit again.

        Raises LeaseLost if another worker has taken the unit over: then nothing of that transaction may stay.
        """
        results = {} if result is None else {unit.pk: result}
        strict, seconds = unit.pk in self._open, self._lap()
        _through_outages(
            lambda: reports.done(
                self._job_id, [unit], self._grip.token, results=results, seconds=seconds, strict=strict, flaw=flaw
            )
        )
        self._open.discard(unit.pk)

    def fail(self, unit: Unit, error: LoupeError) -> None:
        """Report an error of one unit: it fails if `error.permanent` or often enough, else it is retried later."""
        seconds = self._lap()
        _through_outages(
            lambda: reports.failed(
                self._job_id, unit, self._grip.token, error, max_attempts=self._max_attempts, seconds=seconds
            )
        )
        self._open.discard(unit.pk)

    def progress(self, done: int, total: int) -> None:
        """How far the batch is, in any measure (a `foundation.progress.Progress`). Raises Cancelled when to stop."""
        now = time.monotonic()
        if now - self._wrote >= LOOK_SECONDS or done >= total:
            self._wrote = now
            unit = self._units[0]
            _unless_out(
                lambda: Unit.objects.filter(pk=unit.pk, claim=self._grip.token).update(
                    items_done=max(0, int(done)), items_total=max(0, int(total))
                )
            )
        self.check()

    def message(self, text: str) -> None:
        """Show one line on the job's page."""
        _unless_out(lambda: Job.objects.filter(pk=self._job_id).update(message=text[:500]))

    def check(self) -> None:
        """Raise Cancelled if the job is being cancelled, this worker stops, or the work went to another worker."""
        if stopping.is_set():
            raise Interrupted("The worker is stopping.")
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._grip.cancelled |= bool(_unless_out(lambda: leases.cancel_requested([self._job_id])))
        if self._grip.cancelled:
            raise Cancelled("The job was cancelled.")
        if self._grip.lost and self._open:
            raise LeaseLost("Another worker has taken this work over.")

    def finish_rest(self) -> None:
        """All that was not reported is done."""
        if self._open:
            rest = [unit for unit in self._units if unit.pk in self._open]
            seconds = self._lap() / len(rest)
            _through_outages(
                lambda: reports.done(self._job_id, rest, self._grip.token, results={}, seconds=seconds, strict=True)
            )
            self._open.clear()

    def fail_rest(self, error: LoupeError) -> None:
        """All that was not reported failed together: alone it counts, in a batch each gets a run by itself."""
        if len(self._units) > 1:
            self.give_back_rest(alone=True)
            return
        reported = not self._open
        try:
            self.fail(self._units[0], error)
        except LeaseLost:
            # A report that stood makes the later error harmless; one that was rolled back does not get here.
            if not reported:
                raise

    def give_back_rest(self, **facts: Any) -> None:
        """Return what is still held, whatever was reported inside a transaction that was rolled back."""
        _through_outages(lambda: reports.given_back(self._units, self._grip.token, **facts))
        self._open.clear()

    def _lap(self) -> float:
        before, self._reported = self._reported, time.monotonic()
        return self._reported - before


def _through_outages(write: Callable[[], Any]) -> None:
    """Try for a minute while the database is away: hours of work must not be lost to its restart."""
    deadline = time.monotonic() + OUTAGE_SECONDS
    pause = 0.2
    while True:
        try:
            write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(pause)
            pause = min(2.0, 2 * pause)
        else:
            return


def _unless_out(call: Callable[[], Any]) -> Any:
    """Do what may as well be left out while the database is away."""
    try:
        return call()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return None
