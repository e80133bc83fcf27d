"""Sends "look at job N" for whatever is due: the broker may forget everything at any time and nothing is lost."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from jobs import messages
from jobs.leases import all_ended, due
from jobs.models import UNFINISHED, Job, JobState, Unit, UnitState

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
LONGEST_PAUSE = 5.0
# Enough waiting messages to keep many workers busy for a tick, few enough that a dead worker leaves no flood.
FULL_QUEUE = 64


def due_jobs() -> list[tuple[int, str]]:
    """Ids and queues of the jobs that a worker could do something for now."""
    units = Unit.objects.filter(job=OuterRef("pk"))
    busy = units.filter(state__in=[UnitState.RUNNING, UnitState.WAITING], job__sequential=True)
    runnable = Exists(units.filter(due(), state=UnitState.PENDING)) & ~Exists(busy)
    expired = Exists(units.filter(state=UnitState.RUNNING, lease_expires_at__lt=Now()))
    free = (Q(claim=None) | Q(lease_expires_at__lt=Now())) & due()
    needs = Q(state=JobState.RUNNING) & (runnable | expired | (free & all_ended()))
    needs |= Q(state__in=[JobState.QUEUED, JobState.PLANNING]) & free
    needs |= Q(cancel_requested_at__isnull=False)
    found = Job.objects.filter(needs, state__in=UNFINISHED).order_by("pk").values_list("pk", "queue")
    return list(found)


def wake_sleepers() -> None:
    """Units that wait for a job that has ended, or is gone, go on. Normally the end of that job has seen to it."""
    Unit.objects.filter(Q(waits_for=None) | ~Q(waits_for__state__in=UNFINISHED), state=UnitState.WAITING).update(
        state=UnitState.PENDING, waits_for=None, not_before=None
    )


def tick() -> int:
    """Send one message for each due job, unless its queue is full already; how many were sent."""
    wake_sleepers()
    room: dict[str, int] = {}
    sent = 0
    for job_id, queue in due_jobs():
        if queue not in room:
            room[queue] = FULL_QUEUE - messages.waiting(queue)
        if room[queue] > 0 and messages.send(job_id, queue):
            room[queue] -= 1
            sent += 1
    return sent


def run(stop: threading.Event) -> None:
    """Tick until `stop` is set; wait longer while the database or the broker is away."""
    pause = TICK_SECONDS
    while not stop.wait(pause):
        try:
            tick()
        except (DatabaseError, InterfaceError) as error:
            log.warning("the database is away: %s", str(error).strip().split("\n")[0])
            connection.close()
            pause = min(LONGEST_PAUSE, 2 * pause)
        except Exception as error:
            # The transport's own errors: the broker is away.
            log.warning("the broker is away: %s", type(error).__name__)
            pause = min(LONGEST_PAUSE, 2 * pause)
        else:
            pause = TICK_SECONDS
