"""Progress bars for jobs: one per job, children included, until they end."""

from __future__ import annotations

import time
from typing import Self

from django.db import OperationalError, close_old_connections
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from foundation.errors import LoupeError
from jobs.kinds import kind
from jobs.models import Job
from jobs.queries import progress_of

ENDED = (Job.State.FINISHED, Job.State.FINISHED_WITH_ERRORS, Job.State.FAILED, Job.State.CANCELLED)


class Watch:
    """Draws a bar for every job it is told to wait for; in a pipe only one line when each has ended."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.tasks: dict[int, TaskID] = {}

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def bar(self, title: str, done: int, total: int) -> None:
        """Move a bar that is not a job's."""
        task = self.tasks.setdefault(-hash(title) - 1, -1)  # type: ignore[arg-type]
        if task == -1:
            task = self.tasks[-hash(title) - 1] = self.bars.add_task(title, total=total)
        self.bars.update(task, completed=done, total=total)
        if done == total and not self.console.is_terminal:
            self.console.print(f"{title}: {done} of {total}")

    def until_ended(self, job_id: int, *, every: float = 0.5) -> Job:
        """Wait for the job and its children; raises LoupeError if it failed or was cancelled."""
        while True:
            try:
                close_old_connections()
                job = Job.objects.get(pk=job_id)
                for one in [job, *Job.objects.filter(parent=job).order_by("id")]:
                    self._draw(one)
            except OperationalError:  # The database restarts; what it held is still there.
                time.sleep(1)
                continue
            if job.state in ENDED:
                break
            time.sleep(every)
        if job.state in (Job.State.FAILED, Job.State.CANCELLED):
            raise LoupeError(f"Job {job.pk} ({job.kind}) {job.get_state_display().lower()}: {job.error}")
        return job

    def _draw(self, job: Job) -> None:
        done, total = progress_of(job)
        if job.pk not in self.tasks:
            self.tasks[job.pk] = self.bars.add_task(kind(job.kind).title, total=total or None)
        task = self.tasks[job.pk]
        seen = self.bars.tasks[self.bars.task_ids.index(task)]
        self.bars.update(task, completed=done, total=total or None)
        if job.state in ENDED and not seen.fields.get("told"):
            self.bars.update(task, told=True)
            if not self.console.is_terminal:
                seconds = (job.finished_at - job.created_at).total_seconds() if job.finished_at else 0
                self.console.print(
                    f"{kind(job.kind).title}: {job.get_state_display().lower()}, {done} of {total}, {seconds:.1f} s"
                )
