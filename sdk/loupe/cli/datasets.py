"""`loupe datasets list | show | pull`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from loupe import credentials, references
from loupe.cli.output import Output, size
from loupe.client import Client
from loupe.pull import find, pull


def add(resources: Any, shared: argparse.ArgumentParser) -> None:
    actions = resources.add_parser("datasets", help="versioned datasets").add_subparsers(
        metavar="action", required=True
    )
    command = actions.add_parser("list", parents=[shared], help="all versions")
    command.set_defaults(action=list_datasets)
    command = actions.add_parser("show", parents=[shared], help="one version")
    command.add_argument("reference", help="people@v12 or people@latest")
    command.set_defaults(action=show)
    command = actions.add_parser("pull", parents=[shared], help="bring a version to this machine")
    command.add_argument("reference", help="people@v12 or people@latest")
    command.add_argument("--to", type=Path, help="directory; default NAME-vN here")
    command.add_argument("--verify", action="store_true", help="read and check all bytes that are already there")
    command.set_defaults(action=pull_version)


def list_datasets(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        columns = ("name", "version", "aliases", "state", "counts", "created_at")
        output.rows(client.pages("datasets"), columns, "There are no datasets yet.")


def show(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        version = find(client, references.parse(options.reference))
    raw = {**version.raw, "size": size(version.bytes)}
    output.pairs(version.raw if output.as_json else raw, ("name", "version", "digest", "counts", "size", "created_at"))


def pull_version(options: argparse.Namespace, output: Output) -> None:
    reference = references.parse(options.reference)
    with Client(credentials.load()) as client, output.progress(f"Pulling {reference}", in_bytes=True) as step:
        done = pull(client, reference, options.to, thorough=options.verify, progress=step)
    summary = {
        "reference": done.version.reference,
        "digest": done.version.digest,
        "folder": str(done.folder),
        "bytes_received": done.bytes_received,
        "bytes_reused": done.bytes_reused,
    }
    moved = f"{size(done.bytes_received)} received, {size(done.bytes_reused)} were here already"
    output.answer(summary, f"{done.version.reference} is in {done.folder} ({moved}).")
