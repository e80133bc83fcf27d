"""One file by its digest: resumed where it was cut off, checked, and under its name only when it is whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from loupe.client import Client
from loupe.errors import Damaged, LoupeClientError, Unreachable
from loupe.version import Blob

CHUNK = 1024 * 1024
ATTEMPTS = 5
Received = Callable[[int], None]


def is_whole(path: Path, blob: Blob, *, thorough: bool = False) -> bool:
    """Whether the file is there: by its length, as its name was given only after checking; or by all of its bytes."""
    if not path.is_file() or path.stat().st_size != blob.bytes:
        return False
    return not thorough or digest_of(path) == blob.digest


def fetch(client: Client, address: str, blob: Blob, target: Path, received: Received) -> None:
    """Download `blob` from `address` to `target`; `received` is told the bytes of each piece.

    Raises:
        Damaged: the server's bytes do not have the digest.
        Unreachable: the connection broke too often without a byte of progress; calling again resumes.
    """
    partial = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    resumed = _size(partial) > 0
    _complete(client, address, blob, partial, received)
    if digest_of(partial) != blob.digest and resumed:
        # The beginning, from an earlier run, may be what is wrong.
        _drop(partial, received)
        _complete(client, address, blob, partial, received)
    if digest_of(partial) != blob.digest:
        _drop(partial, received)
        raise Damaged(f"What the server sent as {blob.digest[:12]} has another digest.", code="digest_mismatch")
    partial.replace(target)


def link_or_copy(source: Path, target: Path) -> None:
    """Take a file that another pulled version already has; no second copy where the file system has hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    try:
        os.link(source, partial)
    except OSError:
        shutil.copyfile(source, partial)
    partial.replace(target)


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            state.update(piece)
    return state.hexdigest()


def _complete(client: Client, address: str, blob: Blob, partial: Path, received: Received) -> None:
    if _size(partial) > blob.bytes:
        _drop(partial, received)
    partial.touch()
    failures = 0
    while (before := _size(partial)) < blob.bytes:
        try:
            _append(client, address, blob, partial, received)
        except Unreachable:
            failures = 0 if _size(partial) > before else failures + 1
            if failures >= ATTEMPTS:
                raise
            client.wait(failures + 1)


def _drop(partial: Path, received: Received) -> None:
    received(-_size(partial))
    partial.unlink()


def _append(client: Client, address: str, blob: Blob, partial: Path, received: Received) -> None:
    offset = _size(partial)
    with client.download(address, offset) as (start, pieces), partial.open("ab") as file:
        if start != offset:  # no ranges here: begin anew
            file.truncate(start)
            received(start - offset)
        written = start
        for piece in pieces:
            written += len(piece)
            if written > blob.bytes:
                raise LoupeClientError("The server sends more than it announced.", code="too_long")
            file.write(piece)
            received(len(piece))
        file.flush()
        os.fsync(file.fileno())
    if written < blob.bytes:
        raise Unreachable("The connection ended too early.")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
