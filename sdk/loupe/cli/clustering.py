"""`loupe clustering list | show | preview | apply | drop`."""

from __future__ import annotations

import argparse
from typing import Any

from loupe import credentials
from loupe.cli.jobs import follow
from loupe.cli.output import Output
from loupe.client import Client, Json
from loupe.errors import LoupeClientError

COLUMNS = ("id", "state", "current", "release", "faces", "clusters", "alone", "changed", "created_at")
SHOWN = (*COLUMNS, "kept", "core_distance", "merge_similarity", "job", "finished_at")
CHANGES = (
    "before", "after", "faces", "moved", "joined", "left", "appeared", "vanished", "same", "split", "merged", "new",
    "gone", "people", "contradictions", "bcubed_f",
)  # fmt: skip


def add(resources: Any, shared: argparse.ArgumentParser) -> None:
    actions = resources.add_parser("clustering", help="cluster runs: look, preview, apply, drop").add_subparsers(
        metavar="action", required=True
    )
    command = actions.add_parser("list", parents=[shared], help="runs, newest first")
    command.add_argument("--limit", type=int, default=50, help="at most so many (default 50)")
    command.set_defaults(action=list_runs)
    command = actions.add_parser("show", parents=[shared], help="one run and what it changes")
    command.add_argument("id", type=int)
    command.add_argument("--against", type=int, metavar="ID", help="compare with this run; default the current one")
    command.set_defaults(action=show)
    command = actions.add_parser("preview", parents=[shared], help="cluster anew beside the current clustering")
    command.add_argument("--core-distance", type=float, metavar="D", help="cosine distance; default as calibrated")
    merges = command.add_mutually_exclusive_group()
    merges.add_argument("--merge-similarity", type=float, metavar="S", help="cosine similarity; default as calibrated")
    merges.add_argument("--no-merges", action="store_true", help="cores only")
    command.add_argument("--no-joins", action="store_true", help="single faces join nobody in the end")
    command.add_argument("--wait", action="store_true", help="follow it to its end, then tell what it changes")
    command.set_defaults(action=preview)
    command = actions.add_parser("apply", parents=[shared], help="make a run the current one")
    command.add_argument("id", type=int)
    command.add_argument("--wait", action="store_true", help="follow it to its end")
    command.set_defaults(action=apply)
    command = actions.add_parser("drop", parents=[shared], help="give a preview up")
    command.add_argument("id", type=int)
    command.set_defaults(action=drop)


def list_runs(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        rows = client.pages("clusterings", page_size=min(options.limit, 100))
        found = [row for _, row in zip(range(options.limit), rows)]  # noqa: B905 the shorter one ends it
    output.rows(found if output.as_json else map(_flat, found), COLUMNS, "Nothing has been clustered yet.")


def show(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        run = client.get(f"clusterings/{options.id}")
        changes = _changes(client, options.id, options.against)
    _tell(run, changes, output)


def preview(options: argparse.Namespace, output: Output) -> None:
    settings: Json = {"core_distance": options.core_distance, "merge_similarity": options.merge_similarity}
    settings = {name: value for name, value in settings.items() if value is not None}
    if options.no_merges:
        settings["merge_similarity"] = None
    if options.no_joins:
        settings["joins"] = False
    body: Json = {"preview": True, **({"settings": settings} if settings else {})}
    with Client(credentials.load()) as client:
        answer = client.post("clusterings", body)
        if not options.wait:
            output.pairs(answer, ("job",))
            return
        follow(client, int(answer["job"]), output, tell=False)
        run = next((row for row in client.pages("clusterings") if row["job"] == answer["job"]), None)
        if run is None:
            raise LoupeClientError(f"Job {answer['job']} has ended, but its run is gone.", code="no_run")
        changes = _changes(client, run["id"], None)
    _tell(run, changes, output)


def apply(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        answer = client.post(f"clusterings/{options.id}/apply")
        if answer["job"] is None:
            output.answer(answer, f"Run {options.id} is the current one already.")
        elif options.wait:
            follow(client, int(answer["job"]), output)
        else:
            output.pairs(answer, ("job",))


def drop(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        run = client.post(f"clusterings/{options.id}/drop")
    output.pairs(run if output.as_json else _flat(run), COLUMNS)


def _changes(client: Client, run: int, against: int | None) -> Json | None:
    """What the run changes; None where there is nothing to compare, unless a certain comparison was asked for."""
    try:
        return client.get(f"clusterings/{run}/difference", against=against)
    except LoupeClientError as error:
        if against is not None or error.code != "nothing_to_compare":
            raise
        return None


def _tell(run: Json, changes: Json | None, output: Output) -> None:
    if output.as_json:
        output.answer({**run, "difference": changes})
        return
    output.pairs(_flat(run), SHOWN)
    if changes is None:
        output.note("There is no other run to compare with.")
        return
    output.note(f"\nAgainst run {changes['before']}:")
    output.pairs(changes, CHANGES[2:])


def _flat(run: Json) -> Json:
    """A run with its figures beside the rest."""
    metrics, parameters = run.get("metrics") or {}, run.get("parameters") or {}
    return {
        **run,
        **{name: metrics.get(name) for name in ("faces", "clusters", "alone")},
        "changed": (metrics.get("labels") or {}).get("changed"),
        **{name: parameters.get(name) for name in ("core_distance", "merge_similarity")},
    }
