"""`loupe rounds start | show | list`."""

from __future__ import annotations

import argparse
from typing import Any

from loupe import credentials
from loupe.cli.jobs import follow
from loupe.cli.output import Output
from loupe.client import Client

COLUMNS = ("number", "state", "promoted", "champion", "challenger", "dataset", "job", "created_at", "finished_at")


def add(resources: Any, shared: argparse.ArgumentParser) -> None:
    actions = resources.add_parser("rounds", help="rounds of the loop").add_subparsers(metavar="action", required=True)
    command = actions.add_parser("start", parents=[shared], help="start the next round")
    command.add_argument("--watch", action="store_true", help="follow it to its end")
    command.set_defaults(action=start)
    command = actions.add_parser("show", parents=[shared], help="one round and its stages")
    command.add_argument("number", type=int)
    command.set_defaults(action=show)
    command = actions.add_parser("list", parents=[shared], help="rounds, newest first")
    command.set_defaults(action=list_rounds)


def start(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        answer = client.post("rounds")
        if not options.watch:
            output.pairs(answer, COLUMNS)
        else:
            follow(client, int(answer["job"]), output)


def show(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        found = client.get(f"rounds/{options.number}")
    output.pairs(found, [*COLUMNS, "verdict", "stages"])


def list_rounds(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        output.rows(client.pages("rounds"), COLUMNS, "No round was started yet.")
