"""The one Celery task: look at a job and do what it needs. Losing a message, or getting one twice, changes nothing."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import InterfaceError, OperationalError, connection

from jobs import execution, messages
from jobs.models import Job
from jobs.unit_run import stopping

log = logging.getLogger(__name__)

# After this long a job goes to the back of the queue, so that a long one does not keep others waiting.
SLICE_SECONDS = 5.0


@shared_task(name=messages.TASK, ignore_result=True)
def look_at_job(job_id: int) -> None:
    """Work on job `job_id` until it needs nothing, or for one slice of time."""
    began = time.monotonic()
    try:
        while not stopping.is_set():
            if not execution.step(job_id):
                return
            if time.monotonic() - began >= SLICE_SECONDS:
                break
        queue = Job.objects.filter(pk=job_id).values_list("queue", flat=True).first()
    except (OperationalError, InterfaceError) as error:
        # The dispatcher sends another message when the database is back.
        log.warning("job %d: the database is away: %s", job_id, str(error).strip().split("\n")[0])
        connection.close()
        return
    if queue is not None:
        messages.send(job_id, queue)


@worker_shutting_down.connect
def stop_at_next_check(**_: object) -> None:
    """On SIGTERM: units give their work back at their next check instead of holding the worker for hours."""
    stopping.set()
