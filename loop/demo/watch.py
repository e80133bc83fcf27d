"""Progress bars for jobs: one per job, children included, until they end."""

from __future__ import annotations

import time
from typing import Self

from django.db import InterfaceError, OperationalError, close_old_connections
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn

from foundation.errors import LoupeError
from jobs.kinds import find_kind
from jobs.models import Job, JobState
from jobs.queries import with_progress


class Watch:
    """Draws a bar for every job it is told to wait for; in a pipe only one line when each has ended."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bars = Progress(
            TextColumn("{task.description:<36}"),
            BarColumn(bar_width=32),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeLeftColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.tasks: dict[int | str, TaskID] = {}
        self.ended: set[int] = set()

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def bar(self, title: str, done: int, total: int) -> None:
        """Move a bar that is not a job's."""
        self._move(title, title, done, total)
        if done == total:
            self._tell(f"{title}: {total}")

    def until_ended(self, job_id: int, *, every: float = 0.5) -> Job:
        """Wait for the job and its children; raises LoupeError if it failed or was cancelled."""
        while True:
            try:
                close_old_connections()
                jobs = with_progress([Job.objects.get(pk=job_id), *Job.objects.filter(parent=job_id).order_by("id")])
            except (OperationalError, InterfaceError):
                time.sleep(1)  # The database restarts; what it held is still there.
                continue
            for job in jobs:
                self._draw(job)
            if not jobs[0].unfinished:
                break
            time.sleep(every)
        job = jobs[0]
        if job.state in (JobState.FAILED, JobState.CANCELLED):
            raise LoupeError(f"Job {job.pk} ({job.kind}) {job.get_state_display().lower()}: {job.error}")
        return job

    def _draw(self, job: Job) -> None:
        title = find_kind(job.kind).title
        progress = job.progress  # type: ignore[attr-defined]
        self._move(job.pk, title, progress.done, progress.total)
        if not job.unfinished and job.pk not in self.ended:
            self.ended.add(job.pk)
            seconds = (job.finished_at - job.created_at).total_seconds() if job.finished_at else 0.0
            failed = f", {job.units_failed} failed" if job.units_failed else ""
            self._tell(
                f"{title}: {job.get_state_display().lower()}, {job.units_done} of {job.units_total} "
                f"{job.unit_nouns}{failed}, {seconds:.1f} s"
            )

    def _move(self, key: int | str, title: str, done: float, total: float) -> None:
        if key not in self.tasks:
            self.tasks[key] = self.bars.add_task(title, total=None)
        self.bars.update(self.tasks[key], completed=done, total=total or None)

    def _tell(self, line: str) -> None:
        if not self.console.is_terminal:
            self.console.print(line)
