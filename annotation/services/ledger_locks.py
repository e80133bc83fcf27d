"""Who waits for whom: decisions never wait for each other, and a recomputation misses none that came before it."""

from __future__ import annotations

from django.db import connection

# Keys of PostgreSQL's advisory locks; any two numbers nobody else uses.
_DECIDING = 6_100_001
_LABELLING = 6_100_002


def while_deciding() -> None:
    """Until the end of this transaction, `after_open_decisions` elsewhere waits."""
    _lock("pg_advisory_xact_lock_shared", _DECIDING)


def after_open_decisions() -> int:
    """Wait until every decision that was being written has been committed, and go on at once.

    Returns the id of the last entry at that moment: later ones are larger, and none that is smaller will come.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_DECIDING])
        try:
            cursor.execute("SELECT coalesce(max(id), 0) FROM annotation_decision")
            return int(cursor.fetchone()[0])
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_DECIDING])


def no_decisions() -> None:
    """Until the end of this transaction every new decision waits. Keep it short."""
    _lock("pg_advisory_xact_lock", _DECIDING)


def one_labelling_at_a_time() -> None:
    """Until the end of this transaction no other one labels."""
    _lock("pg_advisory_xact_lock", _LABELLING)


def _lock(function: str, key: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [key])
