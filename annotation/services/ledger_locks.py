"""Who waits for whom: decisions never wait for each other, and a recomputation misses none that came before it."""

from __future__ import annotations

import time

from django.db import connection

# Keys of PostgreSQL's advisory locks; any two numbers nobody else uses.
_DECIDING = 6_100_001
_LABELLING = 6_100_002
_ASKING = 6_100_003
POLL_SECONDS = 0.01
# Asking for the lock itself would keep everybody waiting who comes later, behind the slowest of those before.
_OPEN = """
    SELECT pid, virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = %s AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()
"""


def while_deciding() -> None:
    """Until the end of this transaction, `after_open_decisions` elsewhere waits."""
    _lock("pg_advisory_xact_lock_shared", _DECIDING)


def after_open_decisions() -> int:
    """Wait until every decision that is being written now has been committed; new ones go on meanwhile.

    Returns the id of the last entry when it was called: later ones are larger, and none that is smaller will come.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM annotation_decision")
        settled = int(cursor.fetchone()[0])
        cursor.execute(_OPEN, [_DECIDING])
        waited = opened = set(cursor.fetchall())
        while waited:
            time.sleep(POLL_SECONDS)
            cursor.execute(_OPEN, [_DECIDING])
            waited = opened & set(cursor.fetchall())
    return settled


def one_labelling_at_a_time() -> None:
    """Until the end of this transaction no other one labels."""
    _lock("pg_advisory_xact_lock", _LABELLING)


def alone_in_asking() -> bool:
    """Whether no other open transaction has asked this; then none will be told so until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ASKING])
        return bool(cursor.fetchone()[0])


def _lock(function: str, key: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [key])
