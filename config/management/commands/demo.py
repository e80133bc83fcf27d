from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from config.embedded.layout import ServiceProblem
from config.embedded.platform import platform
from foundation.errors import LoupeError


class Command(BaseCommand):
    help = "Take photos round the loop, print the report, then serve the web UI. Run again, it continues."
    requires_system_checks: list[str] = []  # the database is not running yet

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--photos", help="folder of photos; without it LFW, or a small offline album")
        parser.add_argument("--rounds", type=int, default=1, help="how many rounds the loop shall have made (1)")
        parser.add_argument(
            "--until-settled", action="store_true", help="--rounds at most: end when labels have settled"
        )
        parser.add_argument("--limit", type=int, help="at most so many photos, people with the most photos first")
        parser.add_argument("--degrade", type=float, default=0.0, help="share of photos made low-quality first, 0..1")
        parser.add_argument("--truth", default="", help="`folders`: folder names are the true persons")
        parser.add_argument("--serve", default="1", choices=["0", "1"], help="0: do not serve the web UI afterwards")
        parser.add_argument("--report", help="write the report as JSON to this file")

    def handle(self, *args: Any, **given: Any) -> None:
        # The models need the database only when used, but importing them is what takes the time.
        from loop.demo.options import DemoOptions

        console = Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())
        serve = given["serve"] == "1"
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            options = DemoOptions(
                photos=Path(given["photos"]).expanduser() if given["photos"] else None,
                rounds=given["rounds"],
                until_settled=given["until_settled"],
                limit=given["limit"],
                degrade=given["degrade"],
                truth=given["truth"],
            )
            report_file = _writable(given["report"])
            console.print(f"Starting PostgreSQL, Valkey and workers in {settings.LOUPE_HOME} ...")
            with platform(web=serve, share=True, say=console.print):
                self._run(options, report_file, console)
                if serve:
                    self._serve(console)
        except (ServiceProblem, LoupeError) as problem:
            raise CommandError(str(problem)) from problem
        except KeyboardInterrupt:
            console.print("Stopped. Run the same command again to continue.")

    def _run(self, options: Any, report_file: Path | None, console: Console) -> None:
        from loop.demo.report import print_report
        from loop.demo.run import Demo

        report = Demo(options, console).run()
        print_report(report, console)
        if report_file is not None:
            report_file.write_text(json.dumps(report, indent=1) + "\n")
            console.print(f"Report written to {report_file}")

    def _serve(self, console: Console) -> None:
        from accounts.models import User
        from accounts.roles import Role
        from accounts.services import create_login_code, create_user

        user = User.objects.filter(username="demo").first() or create_user(username="demo", role=Role.MANAGER)
        address = settings.ENV.public_url or f"http://{settings.ENV.bind_host}:{settings.ENV.bind_port}"
        console.print(f"\nOpen {address} and sign in with the one-time code {create_login_code(user=user)}")
        console.print("Ctrl-C stops everything.")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


def _writable(name: str | None) -> Path | None:
    """The report's path, checked before the hour of work that fills it."""
    if name is None:
        return None
    path = Path(name).expanduser()
    try:
        with path.open("a"):
            return path
    except OSError as error:
        raise LoupeError(f"REPORT: {path} can't be written: {error.strerror}.") from error


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
