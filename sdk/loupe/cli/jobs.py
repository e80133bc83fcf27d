"""`loupe jobs list | show | watch | cancel | retry`."""

from __future__ import annotations

import argparse
import time
from typing import Any

from loupe import credentials
from loupe.cli.output import Output
from loupe.client import Client, Json
from loupe.errors import FinishedWithErrors, JobFailed, LoupeClientError

ENDED = {
    "finished": "finished",
    "finished_with_errors": "finished with errors",
    "failed": "failed",
    "cancelled": "was cancelled",
}
COLUMNS = ("id", "kind", "title", "state", "units_done", "units_failed", "units_total", "message")
SHOWN_FAILURES = 20


def add(resources: Any, shared: argparse.ArgumentParser) -> None:
    actions = resources.add_parser("jobs", help="background work").add_subparsers(metavar="action", required=True)
    command = actions.add_parser("list", parents=[shared], help="jobs, newest first")
    command.add_argument("--state", help="only those in this state")
    command.add_argument("--kind", help="only those of this kind")
    command.add_argument("--limit", type=int, default=50, help="at most so many (default 50)")
    command.set_defaults(action=list_jobs)
    for name, action, text in (
        ("show", show, "one job and what failed in it"),
        ("watch", watch, "follow a job to its end"),
        ("cancel", cancel, "end a job"),
        ("retry", retry, "run again what failed"),
    ):
        command = actions.add_parser(name, parents=[shared], help=text)
        command.add_argument("id", type=int)
        command.set_defaults(action=action)


def list_jobs(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        rows = client.pages("jobs", state=options.state, kind=options.kind, page_size=min(options.limit, 100))
        output.rows((row for _, row in zip(range(options.limit), rows)), COLUMNS, "There are no jobs.")  # noqa: B905


def show(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        output.pairs(client.get(f"jobs/{options.id}"), (*COLUMNS, "error", "started_at", "finished_at"))


def watch(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        follow(client, options.id, output)


def cancel(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        output.pairs(client.post(f"jobs/{options.id}/cancel"), COLUMNS)


def retry(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        output.pairs(client.post(f"jobs/{options.id}/retry"), COLUMNS)


def follow(client: Client, job_id: int, output: Output, *, tell: bool = True, weigh: str = "") -> Json:
    """Wait for a job's end, with a bar.

    Args:
        tell: print the job at its end; without, only one that did not go well.
        weigh: what its units hold, one per weight: the bar counts these, and tells how many come per minute.

    Raises:
        JobFailed: it failed or was cancelled.
        FinishedWithErrors: some of it failed.
    """
    job = wait(client, job_id, output, weigh=weigh)
    well = job["state"] == "finished"
    if tell or not well:
        output.pairs(job, (*COLUMNS, "error"))
    if well:
        return job
    if not output.as_json:
        tell_failures(client, job_id, output)
    raise ended_badly(job)


def ended_badly(job: Json) -> LoupeClientError:
    """What to raise for a job that did not end well."""
    kind = FinishedWithErrors if job["state"] == "finished_with_errors" else JobFailed
    return kind(f"Job {job['id']} {ENDED[job['state']]}.", code=f"job_{job['state']}")


def wait(client: Client, job_id: int, output: Output, *, weigh: str = "") -> Json:
    """The job at its end, however it ended; until then a bar, as `follow` has it."""
    pause = 0.5
    job = client.get(f"jobs/{job_id}")
    with output.progress(job.get("title") or f"Job {job_id}", rate_of=weigh) as step:
        while job["state"] not in ENDED:
            if weigh:
                step(int(job["progress"]["done"]), int(job["progress"]["total"]))
            else:
                step(job["units_done"] + job["units_failed"], job["units_total"])
            time.sleep(pause)
            pause = min(5.0, pause * 1.3)
            job = client.get(f"jobs/{job_id}")
    return job


def tell_failures(client: Client, job_id: int, output: Output) -> None:
    """Note the first units that failed, in whole or in part."""
    failed = client.pages(f"jobs/{job_id}/units", with_errors=True, page_size=SHOWN_FAILURES)
    for _, unit in zip(range(SHOWN_FAILURES), failed):  # noqa: B905 the shorter one ends it
        output.note(f"  {unit['key']}: {unit['error']}")
