"""`loupe mine run | list | show | strategies`: find what is worth a person's second, see what answers changed."""

from __future__ import annotations

import argparse
from itertools import islice
from typing import Any

from loupe import credentials
from loupe.cli.jobs import follow
from loupe.cli.output import Output
from loupe.client import Client, Json
from loupe.errors import UsageError

CHOICES = ("budget", "overlap", "gold", "seed", "diversity")
COLUMNS = ("id", "state", "questions", "open", "answered", "disputed", "skipped", "minutes_left", "by", "created_at")
PICKED = ("batch", "strategy", "considered", "candidates", "picked", "open", "answered")
STRATEGY = ("name", "asks", "usual", "seconds", "options", "title")


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
    command.add_argument(
        "--option",
        dest="told",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the one strategy that is run, or STRATEGY.NAME=VALUE; `loupe mine strategies` lists them",
    )
    command.add_argument("--watch", "--wait", action="store_true", help="follow it to its end")
    command.set_defaults(action=run)
    command = actions.add_parser("list", parents=[shared], help="mining runs, newest first")
    command.add_argument("--limit", type=int, default=20, help="at most so many; default 20")
    command.set_defaults(action=list_runs)
    command = actions.add_parser("show", parents=[shared], help="one run: what it picked, and what its answers changed")
    command.add_argument("id", type=int)
    command.set_defaults(action=show)
    command = actions.add_parser("strategies", parents=[shared], help="what to look with, and what can be told it")
    command.set_defaults(action=list_strategies)


def run(options: argparse.Namespace, output: Output) -> None:
    given = vars(options)
    strategies = [*options.strategy, *options.strategies]
    body: Json = {"strategies": strategies or None, **{name: given[name] for name in CHOICES}}
    body["options"] = told(options.told, strategies) or None
    with Client(credentials.load()) as client:
        answer = client.post("mining-runs", {name: value for name, value in body.items() if value is not None})
        if options.watch:
            follow(client, int(answer["job"]), output)
        else:
            output.pairs(answer, list(answer))


def told(words: list[str], strategies: list[str]) -> dict[str, Json]:
    """{strategy: {option: text}}; the server reads the texts. Raises UsageError."""
    found: dict[str, Json] = {}
    for word in words:
        name, given, value = word.partition("=")
        strategy, dot, option = name.partition(".")
        if not dot and len(strategies) == 1:
            strategy, option = strategies[0], name
        if not given or not strategy or not option:
            raise UsageError(f"--option {word}: write NAME=VALUE and one --strategy, or STRATEGY.NAME=VALUE.")
        found.setdefault(strategy, {})[option] = value
    return found


def list_runs(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        runs = list(islice(client.pages("mining-runs"), options.limit))
    output.rows(runs if output.as_json else map(_line, runs), COLUMNS, "Nothing was mined yet.")


def show(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        found = client.get(f"mining-runs/{options.id}")
    if output.as_json:
        output.answer(found)
        return
    output.pairs(_line(found), COLUMNS)
    output.rows([_picked(one) for one in found["picked"]], PICKED, "It picked nothing.")
    output.pairs(found["reasons"], list(found["reasons"]))
    changed = found["changed"]
    output.pairs({**changed["labels"], "purity": _before_after(changed["purity"])}, [*changed["labels"], "purity"])
    output.pairs(changed["model"], ["version", "release"])


def list_strategies(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        found = client.get("mining-strategies")["strategies"]
    told_ = [{**one, "options": ", ".join(option["name"] for option in one["options"])} for one in found]
    output.rows(found if output.as_json else told_, STRATEGY, "There are none.")


def _line(run: Json) -> Json:
    job = run["job"]
    return {**run, **run["states"], "by": job["created_by"], "created_at": job["created_at"]}


def _picked(one: Json) -> Json:
    return {**one, **one["report"], **one["states"]}


def _before_after(purity: Json) -> str:
    return " -> ".join("unknown" if purity[when] is None else f"{purity[when]:.4f}" for when in ("before", "after"))
