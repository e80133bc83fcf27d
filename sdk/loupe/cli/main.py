"""Reads the command line, runs one action, turns every expected failure into one sentence and an exit code.

Exit codes: 0 done, 1 refused, 2 wrong call, 3 not signed in, 4 not found, 5 server out of reach, 6 damaged data,
7 job failed, 8 job finished with errors, 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

import loupe
from loupe.cli import clustering, datasets, ingest, jobs, login, mine, rounds, synth
from loupe.cli.output import Output
from loupe.errors import LoupeClientError

RESOURCES = (login, datasets, ingest, jobs, clustering, rounds, mine, synth)


def parser() -> argparse.ArgumentParser:
    # Both before and after the action, as people type it either way.
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON for programs")
    top = argparse.ArgumentParser(prog="loupe", description=loupe.__doc__, parents=[shared])
    top.add_argument("--version", action="version", version=loupe.__version__)
    resources = top.add_subparsers(metavar="resource", required=True)
    for resource in RESOURCES:
        resource.add(resources, shared)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = parser().parse_args(arguments)
    output = Output(as_json=getattr(options, "json", False))
    try:
        return int(options.action(options, output) or 0)
    except LoupeClientError as error:
        output.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        output.error(LoupeClientError("Interrupted. The same command goes on where it stopped.", code="interrupted"))
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        code = "disk_full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "io_error"
        output.error(LoupeClientError(f"{error.strerror or error}: {error.filename or 'a file'}.", code=code))
        return 1


def run() -> None:
    """The `loupe` script."""
    sys.exit(main())
