"""Strict reading of the environment: every wrong value is one clear sentence, at start, before anything runs."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

REPOSITORY = Path(__file__).resolve().parent.parent

T = TypeVar("T")


class EnvironmentProblem(Exception):
    """An environment variable is wrong; the text is one sentence that names it."""


@dataclass(frozen=True)
class Database:
    """Where PostgreSQL is. `host` is a name, an address or the directory of a unix socket."""

    host: str
    port: int
    name: str
    user: str
    password: str
    options: Mapping[str, str]
    embedded: bool


@dataclass(frozen=True)
class Storage:
    """Where files go: a directory, or a bucket with a prefix."""

    directory: Path | None
    bucket: str
    prefix: str


@dataclass(frozen=True)
class Environment:
    """All that can be configured from outside, checked."""

    home: Path
    runtime: Path
    weights: Path
    database: Database
    broker_url: str
    broker_embedded: bool
    storage: Storage
    device: str
    workers: int
    bind_host: str
    bind_port: int
    public_url: str
    allowed_hosts: tuple[str, ...]
    secret_key: str
    debug: bool
    log_level: str
    max_upload_mb: int
    ingest_roots: tuple[Path, ...]


# What each name means, shown by `manage.py environment` and in the operations guide.
KNOWN = {
    "LOUPE_HOME": "directory of all state; default var/ beside manage.py",
    "LOUPE_WEIGHTS": "directory of downloaded model weights; default weights/ under LOUPE_HOME",
    "LOUPE_STORAGE": "where files go: file:///directory or s3://bucket/prefix; default blobs/ under LOUPE_HOME",
    "LOUPE_DEVICE": "cpu or cuda; default cpu",
    "LOUPE_WORKERS": "job worker processes that `up` starts, 1 to 256; default half of the cores, at most 4",
    "LOUPE_BIND": "address:port of the web server; default 127.0.0.1:8000",
    "LOUPE_PUBLIC_URL": "the address that people type, such as https://loupe.example.org; https makes cookies secure",
    "LOUPE_ALLOWED_HOSTS": "host names to answer to, separated by commas; default loopback and LOUPE_PUBLIC_URL's host",
    "LOUPE_SECRET_KEY": "signing key of at least 32 characters; default: made once and kept under LOUPE_HOME",
    "LOUPE_DEBUG": "1 shows error pages with source; never where others can reach it; default 0",
    "LOUPE_LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR; default INFO",
    "LOUPE_MAX_UPLOAD_MB": "largest single request body in MiB, 1 to 65536; default 2048",
    "LOUPE_INGEST_ROOTS": "directories, separated by colons, below which the web may ingest folders; default none",
}
# Of the tests and of the `loupe` client, which may run from the same shell.
IGNORED = frozenset({"LOUPE_TEST_DATA", "LOUPE_URL", "LOUPE_TOKEN", "LOUPE_CONFIG_DIR"})


def read(environ: Mapping[str, str]) -> Environment:
    """Parse and check. Creates nothing, connects to nothing. Raises EnvironmentProblem."""
    _refuse_unknown(environ)
    home = _directory(environ, "LOUPE_HOME", REPOSITORY / "var")
    runtime = runtime_directory(home)
    host, port = _bind(_get(environ, "LOUPE_BIND") or "127.0.0.1:8000")
    public = _public_url(_get(environ, "LOUPE_PUBLIC_URL"))
    broker = _get(environ, "BROKER_URL")
    return Environment(
        home=home,
        runtime=runtime,
        weights=_directory(environ, "LOUPE_WEIGHTS", home / "weights"),
        database=_database(_get(environ, "DATABASE_URL"), runtime),
        broker_url=_broker(broker) if broker else f"redis+socket://{runtime / 'valkey.sock'}",
        broker_embedded=not broker,
        storage=_storage(_get(environ, "LOUPE_STORAGE"), home),
        device=_choice(environ, "LOUPE_DEVICE", ("cpu", "cuda"), "cpu"),
        workers=_integer(environ, "LOUPE_WORKERS", 1, 256, max(1, min(4, (os.cpu_count() or 2) // 2))),
        bind_host=host,
        bind_port=port,
        public_url=public,
        allowed_hosts=_allowed_hosts(environ, host, public),
        secret_key=_secret(_get(environ, "LOUPE_SECRET_KEY")),
        debug=_flag(environ, "LOUPE_DEBUG"),
        log_level=_choice(environ, "LOUPE_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
        max_upload_mb=_integer(environ, "LOUPE_MAX_UPLOAD_MB", 1, 65536, 2048),
        ingest_roots=_directories(environ, "LOUPE_INGEST_ROOTS"),
    )


def runtime_directory(home: Path) -> Path:
    """Where a home's sockets lie: the same for all its processes, and short, as a socket path may have 107 bytes."""
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    return Path("/tmp") / f"loupe-{os.getuid()}-{digest}"  # noqa: S108 - made 0700 and its owner checked before use


def _get(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    for name in sorted(environ):
        if name.startswith("LOUPE_") and name not in KNOWN and name not in IGNORED:
            near = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.0)
            raise EnvironmentProblem(f"{name} is not a setting of Loupe; did you mean {near[0]}?")


def _directory(environ: Mapping[str, str], name: str, default: Path) -> Path:
    text = _get(environ, name)
    path = Path(text).expanduser().absolute() if text else default
    if path.exists() and not path.is_dir():
        raise EnvironmentProblem(f"{name} must be a directory, but {path} is a file.")
    return path


def _directories(environ: Mapping[str, str], name: str) -> tuple[Path, ...]:
    paths = [Path(part).expanduser() for part in _get(environ, name).split(":") if part]
    for path in paths:
        if not path.is_absolute():
            raise EnvironmentProblem(f"{name} must hold absolute directories separated by colons, not {str(path)!r}.")
    return tuple(paths)


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    text = _get(environ, name) or default
    if text not in choices:
        raise EnvironmentProblem(f"{name} must be one of {', '.join(choices)}, not {text!r}.")
    return text


def _integer(environ: Mapping[str, str], name: str, low: int, high: int, default: int) -> int:
    text = _get(environ, name)
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise EnvironmentProblem(f"{name} must be a whole number from {low} to {high}, not {text!r}.")
    return int(text)


def _flag(environ: Mapping[str, str], name: str) -> bool:
    text = _get(environ, name) or "0"
    if text not in {"0", "1"}:
        raise EnvironmentProblem(f"{name} must be 0 or 1, not {text!r}.")
    return text == "1"


def _secret(text: str) -> str:
    if text and len(text) < 32:
        raise EnvironmentProblem("LOUPE_SECRET_KEY must have at least 32 characters.")
    return text


def _split(name: str, url: str) -> SplitResult:
    return _guard(name, lambda: urlsplit(url))


def _port(name: str, parts: SplitResult, default: int) -> int:
    return _guard(name, lambda: parts.port) or default


def _guard(name: str, parse: Callable[[], T]) -> T:
    # The value may hold a password, so it is never repeated in the message.
    try:
        return parse()
    except ValueError as error:
        raise EnvironmentProblem(f"{name} is not a well-formed address.") from error


def _database(url: str, runtime: Path) -> Database:
    if not url:
        return Database(str(runtime), 5432, "loupe", "loupe", "", {}, embedded=True)
    parts = _split("DATABASE_URL", url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise EnvironmentProblem("DATABASE_URL must start with postgresql://, as Loupe runs on PostgreSQL only.")
    options = dict(parse_qsl(parts.query))
    host = unquote(parts.hostname or "") or options.pop("host", "")
    name = unquote(parts.path.lstrip("/"))
    if not host or not name or "/" in name:
        raise EnvironmentProblem(
            "DATABASE_URL must name a host and a database: postgresql://user:password@host:5432/name."
        )
    return Database(
        host=host,
        port=_port("DATABASE_URL", parts, 5432),
        name=name,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        options=options,
        embedded=False,
    )


def _broker(url: str) -> str:
    parts = _split("BROKER_URL", url)
    if parts.scheme not in {"redis", "rediss", "redis+socket"}:
        raise EnvironmentProblem("BROKER_URL must start with redis://, rediss:// or redis+socket://.")
    if parts.scheme == "redis+socket":
        if not parts.path.startswith("/"):
            raise EnvironmentProblem("BROKER_URL with redis+socket:// must give an absolute path.")
        return url
    _port("BROKER_URL", parts, 6379)
    if not parts.hostname:
        raise EnvironmentProblem("BROKER_URL must name a host: redis://host:6379/0.")
    return url


def _storage(url: str, home: Path) -> Storage:
    if not url:
        return Storage(home / "blobs", "", "")
    parts = _split("LOUPE_STORAGE", url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/") and len(parts.path) > 1:
        return Storage(Path(unquote(parts.path)), "", "")
    if parts.scheme == "s3" and re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
        return Storage(None, parts.netloc, parts.path.strip("/"))
    raise EnvironmentProblem("LOUPE_STORAGE must be file:///absolute/directory or s3://bucket/prefix.")


def _bind(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})", text)
    if not match or not 0 < int(match[2]) < 65536:
        raise EnvironmentProblem(f"LOUPE_BIND must be address:port such as 127.0.0.1:8000, not {text!r}.")
    return match[1], int(match[2])


def _public_url(text: str) -> str:
    if not text:
        return ""
    parts = _split("LOUPE_PUBLIC_URL", text)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise EnvironmentProblem("LOUPE_PUBLIC_URL must be http:// or https:// and a host, without a path.")
    _port("LOUPE_PUBLIC_URL", parts, 443)
    return f"{parts.scheme}://{parts.netloc}"


def _allowed_hosts(environ: Mapping[str, str], bind_host: str, public_url: str) -> tuple[str, ...]:
    hosts = [part.strip() for part in _get(environ, "LOUPE_ALLOWED_HOSTS").split(",") if part.strip()]
    for host in hosts:
        if not re.fullmatch(r"\*|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:.]+\]", host):
            raise EnvironmentProblem(f"LOUPE_ALLOWED_HOSTS must hold host names separated by commas, not {host!r}.")
    if public_url:
        hosts.append(urlsplit(public_url).hostname or "")
    if not hosts and bind_host in {"0.0.0.0", "[::]"}:  # noqa: S104 - compared with, not bound to
        raise EnvironmentProblem(
            "LOUPE_BIND listens on every interface, so LOUPE_ALLOWED_HOSTS must name the hosts to answer to."
        )
    return tuple(dict.fromkeys([*hosts, "localhost", "127.0.0.1", "[::1]", bind_host]))
