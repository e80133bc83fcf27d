"""Is the review workbench worth its annotators' time, and does it keep up with twenty of them?

    python -m benchmarks.review replay --photos DIR [--decisions 150] [--home DIR] [--people N] [--tuning] [--save]
    python -m benchmarks.review serve [--faces 1000000] [--clusters 50000] [--annotators 20] [--seconds 60] [--save]

See `benchmarks/review_replay.py` and `benchmarks/review_serve.py`. Both run a whole installation in a home of its own
(thrown away unless `--home` names one), as `manage.py up` runs it, and talk to it over HTTP on loopback.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
WAYS = ("pairs", "screens", "random", "naming")
KEPT = {"LOUPE_DEVICE", "LOUPE_LOG_LEVEL"}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    replay = commands.add_parser("replay", help="annotators who know the truth answer what the queues ask")
    replay.add_argument("--photos", type=Path, required=True, help="a folder with one sub-folder per person")
    replay.add_argument("--decisions", type=int, default=150)
    replay.add_argument("--every", type=int, default=25, help="decisions between mining runs")
    replay.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="see benchmarks/review_replay.py")
    replay.add_argument("--annotators", nargs="+", choices=("ideal", "noisy"), default=["ideal", "noisy"])
    replay.add_argument("--queues", nargs="+", help="only these mining strategies; default all that apply")
    replay.add_argument("--people", type=int, help="only the first N people")
    replay.add_argument("--limit", type=int, help="only the first N photos")
    replay.add_argument("--tuning", action="store_true", help="without the people kept for judging")
    serve = commands.add_parser("serve", help="many annotators at once on a large database")
    serve.add_argument("--faces", type=int, default=1_000_000)
    serve.add_argument("--clusters", type=int, default=50_000)
    serve.add_argument("--annotators", type=int, default=20)
    serve.add_argument("--seconds", type=float, default=60.0)
    serve.add_argument("--pace", type=float, default=1.0, help="seconds that an annotator waits before an action")
    for command in (replay, serve):
        command.add_argument("--home", type=Path, help="keep the installation here, and use it again")
        command.add_argument("--save", action="store_true", help="keep the results in benchmarks/results")
    return parser.parse_args()


def prepare(home: Path) -> None:
    """Settings of an installation in `home`, whatever the shell says, and Django set up with them."""
    for name in [name for name in os.environ if name.startswith("LOUPE_") and name not in KEPT]:
        del os.environ[name]
    for name in ("DATABASE_URL", "BROKER_URL"):
        os.environ.pop(name, None)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ["LOUPE_HOME"] = str(home)
    os.environ["LOUPE_WEIGHTS"] = str(REPOSITORY / "var" / "weights")
    os.environ["LOUPE_BIND"] = f"127.0.0.1:{port}"
    os.environ.setdefault("LOUPE_LOG_LEVEL", "WARNING")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()


def main() -> int:
    options = parse()
    home = (options.home or Path(tempfile.mkdtemp(prefix="loupe-review-"))).absolute()
    home.mkdir(parents=True, exist_ok=True)
    prepare(home)
    try:
        # Only now: their models need the settings.
        if options.command == "replay":
            from benchmarks.review_replay import replay

            return replay(home, options)
        from benchmarks.review_serve import serve

        return serve(home, options)
    finally:
        if options.home is None:
            from config.environment import runtime_directory

            shutil.rmtree(runtime_directory(home), ignore_errors=True)
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
