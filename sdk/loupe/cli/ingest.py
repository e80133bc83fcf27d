"""`loupe ingest PATH...`: send photos and follow their way in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from loupe import credentials, photos
from loupe.cli.jobs import follow
from loupe.cli.output import Output, size
from loupe.client import Client
from loupe.upload import upload


def add(resources: Any, shared: argparse.ArgumentParser) -> None:
    command = resources.add_parser("ingest", parents=[shared], help="add the photos of a folder, a zip, or files")
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    command.add_argument("--collection", help="all into this one; default: each top folder is one")
    command.add_argument("--no-watch", action="store_true", help="do not wait for the job")
    command.set_defaults(action=ingest)


def ingest(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client, photos.find(options.paths) as found:
        with output.progress("Sending", in_bytes=True) as step:
            sent = upload(client, found, step)
        output.note(f"{sent.files} files: {size(sent.bytes_sent)} sent, {sent.files_known} were there already.")
        body = {"upload": sent.batch, **({"collection": options.collection} if options.collection else {})}
        job = client.post("ingests", body)["job"]
        if options.no_watch:
            output.answer({"job": job, "files": sent.files, "bytes_sent": sent.bytes_sent}, f"Job {job} works on them.")
            return
        follow(client, job, output)
