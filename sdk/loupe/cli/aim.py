"""`loupe synth aim | trial`: a recipe for what the model does worst on, and whether it paid to train with it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from loupe import credentials
from loupe.cli.jobs import follow
from loupe.cli.output import Output
from loupe.client import Client, Json

PART = ("part", "far", "faces", "real_only", "with_synthetic", "gain", "ci")


def add(actions: Any, shared: argparse.ArgumentParser) -> None:
    command = actions.add_parser("aim", parents=[shared], help="propose effects that resemble a quality slice")
    _judged(command)
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same proposal (default 0)")
    command.add_argument("--out", type=Path, help="put the recipe here, for `loupe synth run FILE --source DATASET`")
    command.set_defaults(action=aim)
    command = actions.add_parser("trial", parents=[shared], help="train without and with synthetic faces, and compare")
    _judged(command)
    command.add_argument(
        "--extra", action="append", required=True, help="a version of synthetic faces; may be repeated"
    )
    command.add_argument("--aim", type=int, metavar="JOB", help="judge the slice that this job aimed at")
    command.set_defaults(action=trial)


def _judged(command: argparse.ArgumentParser) -> None:
    command.add_argument("--dataset", required=True, help="the version of real faces, such as people@latest")
    command.add_argument("--slice", default="", help="dark, unsharp, small, ..; left out, what the model does worst on")
    command.add_argument("--split", default="val_blackbox", help="whose faces (default val_blackbox)")


def aim(options: argparse.Namespace, output: Output) -> None:
    body: Json = {"dataset": options.dataset, "slice": options.slice, "split": options.split, "seed": options.seed}
    found = _done("aims", body, output)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(found["yaml"], encoding="utf-8")
    if output.as_json:
        output.answer(found)
        return
    for line in found["words"]:
        output.note(line)
    output.answer(None, f"# {found['title']}\n{found['yaml']}" if options.out is None else f"{options.out} is written.")


def trial(options: argparse.Namespace, output: Output) -> None:
    body: Json = {"dataset": options.dataset, "extras": options.extra, "slice": options.slice, "split": options.split}
    found = _done("synthetic-trials", body | {"aim": options.aim}, output)
    if output.as_json:
        output.answer(found)
        return
    output.rows(found["parts"], PART, "No part has enough pairs to be judged.")
    for line in [*found["words"], *found.get("unjudged", [])]:
        output.note(line)


def _done(route: str, body: Json, output: Output) -> Json:
    with Client(credentials.load()) as client:
        job = client.post(route, {key: value for key, value in body.items() if value is not None})
        result: Json = follow(client, int(job["id"]), output, tell=False)["result"]
        return result
