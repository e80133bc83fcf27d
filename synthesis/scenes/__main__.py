"""`python -m synthesis.scenes FOLDER`: set up Blender's environment, with progress, and print its Python."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TimeElapsedColumn

from foundation.errors import LoupeError
from synthesis.scenes.environment import set_up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m synthesis.scenes", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the environment goes")
    folder = parser.parse_args().folder.absolute()
    try:
        with Progress("Blender", BarColumn(), DownloadColumn(), TimeElapsedColumn()) as bar:
            task = bar.add_task("Blender", total=None)
            python = set_up(folder, lambda done, total: bar.update(task, completed=done, total=total))
    except LoupeError as error:
        print(error.message, file=sys.stderr)
        return 1
    print(python)
    return 0


if __name__ == "__main__":
    sys.exit(main())
