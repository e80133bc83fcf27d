"""`loupe synth recipes | show | run | sample | runs | status | failed | pull | retry | aim | trial`: made images."""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

from loupe import credentials, references
from loupe.cli import aim
from loupe.cli.jobs import ended_badly, tell_failures, wait
from loupe.cli.output import Output, plain, size
from loupe.client import Client, Json
from loupe.errors import FinishedWithErrors, LoupeClientError, NotFound, UsageError
from loupe.pull import pull
from loupe.unpack import unpack

COLUMNS = ("id", "title", "seed", "count", "format", "state", "made", "failed", "images_per_minute", "version")
SETTING = ("path", "kind", "value", "may_be")
SHOWN_FAILURES = 20


def add(resources: Any, shared: argparse.ArgumentParser) -> None:
    actions = resources.add_parser("synth", help="make labelled images").add_subparsers(metavar="action", required=True)
    command = actions.add_parser("recipes", parents=[shared], help="recipes that come along")
    command.set_defaults(action=list_recipes)
    command = actions.add_parser("show", parents=[shared], help="a recipe and all that can be changed in it")
    command.add_argument("recipe", help="a recipe's name")
    command.set_defaults(action=show)
    wanted = _wanted()
    command = actions.add_parser("run", parents=[shared, wanted], help="make a dataset of a recipe")
    command.add_argument("--count", type=int, required=True, help="how many images")
    command.add_argument("--out", type=Path, help="wait for it and put its files here; left out, only start")
    command.add_argument("--format", help="how to write it; `loupe synth recipes` lists what fits")
    command.add_argument("--name", help="of the dataset; default synthetic-RECIPE")
    command.add_argument("--most-seconds", type=float, help="begin nothing new after so long")
    command.add_argument("--most-bytes", type=int, help="leave off what would be beyond")
    command.add_argument("--yes", action="store_true", help="also if it takes long or much room")
    command.add_argument("--watch", "--wait", action="store_true", help="follow it to its end")
    command.set_defaults(action=run)
    command = actions.add_parser("sample", parents=[shared, wanted], help="make one image, such as one that failed")
    command.add_argument("--index", type=int, default=0, help="which of the seed's (default 0)")
    command.add_argument("--run", type=int, help="recipe, seed and source of this run, but for what is said here")
    command.add_argument("--out", type=Path, required=True, help="the image; labels and parameters beside it, as JSON")
    command.add_argument("--draw", action="store_true", help="draw the labels on it")
    command.set_defaults(action=sample)
    command = actions.add_parser("runs", parents=[shared], help="runs, newest first")
    command.add_argument("--limit", type=int, default=20, help="at most so many (default 20)")
    command.set_defaults(action=list_runs)
    for name, action, text in (
        ("status", status, "one run, and the first items that failed in it"),
        ("failed", list_failed, "all items of a run that could not be made"),
        ("retry", retry, "make what failed again"),
        ("pull", pull_run, "put the files of a run here"),
    ):
        command = actions.add_parser(name, parents=[shared], help=text)
        command.add_argument("id", type=int)
        if action is pull_run:
            command.add_argument("--out", type=Path, required=True)
        command.set_defaults(action=action)
    aim.add(actions, shared)


def _wanted() -> argparse.ArgumentParser:
    wanted = argparse.ArgumentParser(add_help=False)
    wanted.add_argument("recipe", nargs="?", help="a recipe's name, or a YAML file of one's own")
    wanted.add_argument("--seed", type=int, help="the same seed gives the same images (default 0)")
    wanted.add_argument(
        "--set", dest="changes", action="append", default=[], metavar="KEY=VALUE", help="height=32..48, for instance"
    )
    wanted.add_argument("--source", help="of faces: the dataset version whose train faces are used")
    return wanted


def list_recipes(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        found = client.get("synthesis/recipes")["recipes"]
    output.rows(found, ("name", "needs", "formats", "about"), "There are none.")


def show(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        found = client.get(f"synthesis/recipes/{options.recipe}")
    if output.as_json:
        output.answer(found)
        return
    output.answer(None, f"# {found['about']}\n{found['yaml']}")
    output.rows(map(_bounded, found["settings"]), SETTING, "Nothing can be changed.")


def run(options: argparse.Namespace, output: Output) -> None:
    if options.out is not None:
        _check_free(options.out)
    body = {**_asked(options), "count": options.count, "confirm": options.yes}
    given = {"format": options.format, "name": options.name}
    given |= {"most_seconds": options.most_seconds, "most_bytes": options.most_bytes}
    body |= {name: value for name, value in given.items() if value is not None}
    with Client(credentials.load()) as client:
        started = _start(client, body, output)
        if options.out is None and not options.watch:
            output.pairs(_line(started), ("id", "job", *COLUMNS[1:6]))
            return
        job = wait(client, int(started["job"]["id"]), output, weigh="image")
        failed = _tell_failures(client, started["id"], output)
        if job["units_failed"] and not output.as_json:
            tell_failures(client, job["id"], output)
        if job["state"] not in ("finished", "finished_with_errors"):
            output.note(job["error"])
            raise ended_badly(job)
        if options.out is not None:
            _bring(client, started["id"], options.out, output)
        else:
            _tell(client.get(f"synthesis/runs/{started['id']}"), output)
        if job["state"] != "finished":
            told = f"{failed} of {started['count']} images could not be made"
            if shards := job["units_failed"]:
                told += f", and {shards} shard{'s' * (shards != 1)} failed as a whole"
            raise FinishedWithErrors(f"Finished with errors: {told}. Try again: loupe synth retry {started['id']}")


def _start(client: Client, body: Json, output: Output) -> Json:
    try:
        return client.post("synthesis/runs", body)
    except LoupeClientError as error:
        if error.code != "confirmation_needed" or output.as_json or not sys.stdin.isatty():
            raise
        output.note(error.message)
    if input("Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise UsageError("Nothing was started.", code="not_confirmed")
    return client.post("synthesis/runs", {**body, "confirm": True})


def _tell_failures(client: Client, run_id: int, output: Output) -> int:
    """Note the first items that could not be made; how many there are."""
    failed = int(client.get(f"synthesis/runs/{run_id}")["failed"])
    for one in islice(client.pages(f"synthesis/runs/{run_id}/failed"), SHOWN_FAILURES if failed else 0):
        output.note(f"Item {one['index']} of seed {one['seed']} could not be made: {one['reason']}")
    if failed > SHOWN_FAILURES:
        output.note(f"{failed - SHOWN_FAILURES} more: loupe synth failed {run_id}")
    if failed:
        output.note(f"Make one alone: loupe synth sample --run {run_id} --index N --out FILE")
    return failed


def _bring(client: Client, run_id: int, folder: Path, output: Output) -> None:
    """Pull the run's version; files that trainers read go into `folder`, faces stay in their tars."""
    found = client.get(f"synthesis/runs/{run_id}")
    if not found["version"]:
        raise NotFound(f"Run {run_id} has made no dataset version.", code="no_version")
    reference = references.parse(found["version"])
    faces = found["format"] == "faces"
    pulled = folder if faces else folder.with_name(f".{folder.name}.pulled")
    with output.progress(f"Pulling {reference}", in_bytes=True) as step:
        done = pull(client, reference, pulled, progress=step)
    if not faces:
        with output.progress("Unpacking") as step:
            unpack(pulled, folder, progress=step)
        shutil.rmtree(pulled)
    summary = {"run": run_id, "reference": done.version.reference, "digest": done.version.digest}
    summary |= {"images": found["made"], "failed": found["failed"], "folder": str(folder), "bytes": done.version.bytes}
    told = f"{found['made']} images of {reference} are in {folder} ({size(done.version.bytes)})."
    output.answer(summary, told)


def sample(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        body = _asked(options) if options.run is None else _of_run(client, options)
        found = client.post("synthesis/preview", {**body, "first": options.index, "count": 1, "draw": options.draw})
        while found["unfinished"]:
            time.sleep(1)
            found = client.get(f"synthesis/previews/{found['job']}")
    (item,) = found["items"]
    if not item["image"]:
        raise LoupeClientError(f"Item {item['index']} of seed {item['seed']}: {item['reason']}", code=item["code"])
    image = base64.b64decode(item.pop("image"))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(image)
    facts = options.out.with_suffix(".json")
    facts.write_text(json.dumps(item, indent=2, ensure_ascii=False), encoding="utf-8")
    output.answer({**item, "file": str(options.out)}, f"{options.out} and {facts} are written.")


def list_runs(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        runs = list(islice(client.pages("synthesis/runs"), options.limit))
    output.rows(runs if output.as_json else map(_line, runs), COLUMNS, "Nothing was made yet.")


def status(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        _tell(client.get(f"synthesis/runs/{options.id}"), output)
        if not output.as_json:
            _tell_failures(client, options.id, output)


def list_failed(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        rows = client.pages(f"synthesis/runs/{options.id}/failed")
        output.rows(rows, ("index", "seed", "code", "reason"), "All its items could be made.")


def retry(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        output.pairs(client.post(f"synthesis/runs/{options.id}/retry"), ("job",))


def pull_run(options: argparse.Namespace, output: Output) -> None:
    _check_free(options.out)
    with Client(credentials.load()) as client:
        _bring(client, options.id, options.out, output)


def _asked(options: argparse.Namespace) -> Json:
    """What the command line says about recipe, settings and seed."""
    if not options.recipe:
        raise UsageError("Name a recipe; `loupe synth recipes` lists them.")
    body: Json = {"recipe": options.recipe, "seed": options.seed or 0, "changes": _changes(options)}
    if (file := Path(options.recipe)).suffix in {".yaml", ".yml"}:
        body |= {"recipe": file.read_text(encoding="utf-8"), "title": file.stem}
    if options.source:
        body["source_dataset"] = options.source
    return body


def _of_run(client: Client, options: argparse.Namespace) -> Json:
    """What a run was asked for, with what the command line says in its place."""
    if options.recipe:
        raise UsageError(f"Name a recipe or --run, not both: run {options.run} has its own.")
    changes = _changes(options)
    found = client.get(f"synthesis/runs/{options.run}")
    seed = found["seed"] if options.seed is None else options.seed
    source = options.source or found["source_dataset"] or ""
    return {"recipe": found["recipe"], "seed": seed, "source_dataset": source, "changes": changes}


def _changes(options: argparse.Namespace) -> Json:
    changes = [word.partition("=") for word in options.changes]
    if wrong := [key for key, equals, _ in changes if not equals or not key]:
        raise UsageError(f"--set {wrong[0]}: write KEY=VALUE.")
    return {key.strip(): value for key, _, value in changes}


def _check_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds other files; choose another --out.", code="folder_not_empty")


def _bounded(setting: Json) -> Json:
    """The setting with its bounds as a person reads them."""
    ends = setting["least"], setting["greatest"]
    return {**setting, "may_be": setting["words"] or (None if None in ends else " to ".join(map(plain, ends)))}


def _tell(run: Json, output: Output) -> None:
    output.pairs(run if output.as_json else _line(run), (*COLUMNS, "name", "stored_bytes", "created_at"))


def _line(run: Json) -> Json:
    job = run["job"] or {}
    return {**run, "state": job.get("state", "gone"), "job": job.get("id")}
