"""`loupe mine run`: find what is worth a person's second."""

from __future__ import annotations

import argparse
from typing import Any

from loupe import credentials
from loupe.cli.jobs import follow
from loupe.cli.output import Output
from loupe.client import Client

CHOICES = ("budget", "overlap", "gold", "seed", "diversity")


def add(resources: Any, shared: argparse.ArgumentParser) -> None:
    actions = resources.add_parser("mine", help="find what is hard or wrong").add_subparsers(
        metavar="action", required=True
    )
    command = actions.add_parser("run", parents=[shared], help="start a mining run")
    command.add_argument("strategy", nargs="*", help="strategies to run; default the usual ones")
    command.add_argument("--strategy", dest="strategies", action="append", default=[], help="the same, one at a time")
    command.add_argument("--budget", type=int, help="at most so many questions")
    command.add_argument("--overlap", type=int, help="how many people answer each question; default 1")
    command.add_argument("--gold", type=float, help="share of known answers hidden among them; default 0.1, 0 for none")
    command.add_argument("--seed", type=int, help="of what is drawn at random")
    command.add_argument("--diversity", type=float, help="0 to 1: rather questions that differ; default 0")
    command.add_argument("--watch", "--wait", action="store_true", help="follow it to its end")
    command.set_defaults(action=run)


def run(options: argparse.Namespace, output: Output) -> None:
    given = vars(options)
    body = {"strategies": [*options.strategy, *options.strategies] or None, **{name: given[name] for name in CHOICES}}
    with Client(credentials.load()) as client:
        answer = client.post("mining-runs", {name: value for name, value in body.items() if value is not None})
        if options.watch:
            follow(client, int(answer["job"]), output)
        else:
            output.pairs(answer, list(answer))
