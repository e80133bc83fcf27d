"""`loupe rounds start | show | list`."""

from __future__ import annotations

import argparse
from typing import Any

from loupe import credentials
from loupe.cli.jobs import follow
from loupe.cli.output import Output
from loupe.client import Client, Json

COLUMNS = (
    "number",
    "state",
    "promoted",
    "labels_changed",
    "champion",
    "challenger",
    "dataset",
    "job",
    "created_at",
    "finished_at",
)


def add(resources: Any, shared: argparse.ArgumentParser) -> None:
    actions = resources.add_parser("rounds", help="rounds of the loop").add_subparsers(metavar="action", required=True)
    command = actions.add_parser("start", parents=[shared], help="start the next round")
    command.add_argument("--watch", action="store_true", help="follow it to its end")
    command.add_argument(
        "--until-settled", type=int, metavar="N", help="go on, N rounds at most, until labels stop changing"
    )
    command.add_argument("--share", type=float, help="of labels: settled when fewer change (default: the server's)")
    command.add_argument(
        "--extra", action="append", help="a version of synthetic faces to train with, too; may be repeated"
    )
    command.set_defaults(action=start)
    command = actions.add_parser("show", parents=[shared], help="one round and its stages")
    command.add_argument("number", type=int)
    command.set_defaults(action=show)
    command = actions.add_parser("list", parents=[shared], help="rounds, newest first")
    command.set_defaults(action=list_rounds)


def start(options: argparse.Namespace, output: Output) -> None:
    wanted: Json = {} if options.until_settled is None else {"until_settled": {"rounds": options.until_settled}}
    if options.share is not None:
        wanted.setdefault("until_settled", {})["share"] = options.share
    if options.extra:
        wanted["extras"] = options.extra
    with Client(credentials.load()) as client:
        answer = client.post("rounds", {"parameters": wanted} if wanted else None)
        if not options.watch:
            output.pairs(answer, COLUMNS)
            return
        job: int | None = int(answer["job"])
        while job is not None:  # each names the one that goes on where it ended
            job = (follow(client, job, output).get("result") or {}).get("next_job")


def show(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        found = client.get(f"rounds/{options.number}")
    output.pairs(found, [*COLUMNS, "verdict", "stages"])


def list_rounds(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        output.rows(client.pages("rounds"), COLUMNS, "No round was started yet.")
