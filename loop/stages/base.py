"""What a stage is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from jobs.models import Job
from loop.models import Round


class Stage(ABC):
    """One step of a round: starts at most one job, and tells what came of it.

    Both methods may run again after a crash, so both are idempotent: a job is started under a key made of the round and
    the stage.
    """

    title: ClassVar[str]

    @abstractmethod
    def start(self, round: Round, *, key: str, parent: Job) -> Job | None:
        """Start the stage's job under `key` as a child of `parent`; None where there is nothing to wait for."""

    @abstractmethod
    def collect(self, round: Round, job: Job | None) -> dict[str, Any]:
        """What the stage did, small enough for a page; called once the job has ended well."""


def unit_result(job: Job) -> dict[str, Any]:
    """What the only unit of an ended job reported."""
    return dict(job.units.get().result or {})
