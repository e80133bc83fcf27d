"""Says in one sentence why the database did not answer."""

from __future__ import annotations

from django.conf import settings


def why_no_database(problem: BaseException) -> str:
    """One clear sentence for a person; never repeats a password."""
    if settings.ENV.database.embedded:
        return f"the database of {settings.LOUPE_HOME} is not running; start it with `python manage.py up`."
    first_line = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
    return f"the database at {settings.ENV.database.host}:{settings.ENV.database.port} does not answer: {first_line}"
