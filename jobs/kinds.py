"""What a kind of job is: how it is cut into units, how units run, what their end means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.conf import settings
from django.utils.module_loading import import_string

from foundation.errors import InvalidInput
from jobs.models import Job, Unit
from jobs.unit_run import UnitRun, WaitFor

__all__ = ["JobKind", "UnitRun", "UnitSpec", "WaitFor", "find_kind"]


@dataclass(frozen=True)
class UnitSpec:
    """One unit to be. `key` (at most 512 characters) is unique in its job; `weight` is its share of the progress."""

    key: str
    params: dict[str, Any] = field(default_factory=dict)
    weight: int = 1


class JobKind(ABC):
    """Subclass, name it in `settings.LOUPE_JOB_KINDS`, and it is durable: killed anywhere, it goes on.

    `plan` and `run` may be called again after a kill, so both are idempotent: `plan` yields the same keys, and `run`
    writes what it wrote before or finds it written. What must happen exactly once goes into one transaction with
    `run.done(unit)`, which raises if somebody else has taken the unit over meanwhile.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    unit_noun: ClassVar[str] = "unit"
    queue: ClassVar[str] = "default"
    batch_size: ClassVar[int] = 1  # units handed to one `run`
    sequential: ClassVar[bool] = False  # strictly by ordinal; a failed one stops the rest
    max_attempts: ClassVar[int] = 3  # runs that raise an error that may pass
    max_lost: ClassVar[int] = 10  # runs whose worker was killed

    @abstractmethod
    def plan(self, job: Job) -> Iterable[UnitSpec]:
        """The units, streamed; a key that exists already is left as it is."""

    @abstractmethod
    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        """Do the work of 1 to `batch_size` units.

        Units not reported through `run` are done when this returns; `run.done` may tell that a part of one failed.

        An exception is for all units not yet reported: alone, the unit is retried or fails; in a batch, each is
        retried by itself, so one bad item sinks no other. A `LoupeError` that is `permanent` fails at once. Raise
        `WaitFor(child.pk)` to go on when that job has ended.
        """

    def finish(self, job: Job) -> dict[str, Any]:
        """Called when all units have ended and at least one well (or there were none); returns the job's result."""
        return {}


def find_kind(name: str) -> JobKind:
    """Load the kind on first use. Raises InvalidInput for a name that is not in `settings.LOUPE_JOB_KINDS`."""
    path = settings.LOUPE_JOB_KINDS.get(name)
    if path is None:
        raise InvalidInput(f"There is no kind of job named {name!r}.", code="unknown_job_kind")
    found: type[JobKind] = import_string(path)
    return found()
