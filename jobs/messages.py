"""Sending "look at job N". A message that is lost costs a second: the dispatcher sends another."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import ChannelError

log = logging.getLogger(__name__)

TASK = "jobs.look_at_job"


def send_soon(job_id: int, queue: str) -> None:
    """Send when the transaction around us has committed, so that no worker reads a row that isn't there."""
    transaction.on_commit(lambda: send(job_id, queue), robust=True)


def send(job_id: int, queue: str) -> bool:
    """Send now; False if the broker does not take it."""
    try:
        current_app.send_task(TASK, args=[job_id], queue=queue, retry=False)
    except Exception as error:
        # Any transport has its own family of errors. None of them may stop who only wanted to hint.
        log.warning("the broker took no message for job %d: %s", job_id, type(error).__name__)
        return False
    return True


def waiting(queue: str) -> int:
    """How many messages wait in `queue`. Raises what the transport raises."""
    with current_app.connection_for_read() as connection, connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)  # type: ignore[attr-defined]
        except ChannelError:
            return 0  # an empty queue does not exist
