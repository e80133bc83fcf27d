#!/usr/bin/env python
"""Loupe's command line on the server: `python manage.py up` starts everything; `manage.py help` lists the rest."""

from __future__ import annotations

import os
import sys

from config.environment import EnvironmentProblem


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except EnvironmentProblem as problem:
        print(f"loupe: {problem}", file=sys.stderr)
        return 2
    except OperationalError as problem:
        from config.embedded.diagnosis import why_no_database

        print(f"loupe: {why_no_database(problem)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
