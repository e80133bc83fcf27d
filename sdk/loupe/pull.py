"""Bring a dataset version to a directory: only what is not there yet, resumable, and complete or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loupe.client import Client
from loupe.errors import LoupeClientError, UsageError
from loupe.fetch import fetch, is_whole, link_or_copy
from loupe.references import Reference
from loupe.version import MANIFEST_FILE, SHARDS, VERSION_FILE, Blob, Version, parse, read, shard_path

LOCK_FILE = ".pull.lock"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pulled:
    """What a pull did. Bytes are those of files; what was reused moved none."""

    version: Version
    folder: Path
    bytes_received: int
    bytes_reused: int


def find(client: Client, reference: Reference) -> Version:
    """The version that a reference points at now. Raises NotFound."""
    return parse(client.get(_address(reference.name, reference.version)))


def pull(
    client: Client,
    reference: Reference,
    folder: Path | None = None,
    *,
    thorough: bool = False,
    progress: Progress = lambda done, total: None,
) -> Pulled:
    """Pull into `folder` (default `./NAME-vN`), reusing shards there and in versions of the same name beside it.

    A directory that holds another version of the same dataset is brought up to date in place. `thorough` reads all
    bytes that are already there and fetches the damaged ones again.

    Raises:
        UsageError: `folder` holds something else, or another pull is at work there.
        Damaged: the server's bytes do not fit their digests.
    """
    version = find(client, reference)
    folder = folder or Path(f"{version.name}-v{version.version}")
    _check(folder, version)
    (folder / SHARDS).mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        return _pull(client, version, folder, thorough, progress)


def _pull(client: Client, version: Version, folder: Path, thorough: bool, progress: Progress) -> Pulled:
    manifest = folder / MANIFEST_FILE
    new_manifest = folder / f"{MANIFEST_FILE}.new"
    if is_whole(manifest, version.manifest, thorough=True) and _is(folder, version):
        new_manifest = manifest
    wanted = [(version.manifest, new_manifest)] + [(s, shard_path(folder, s.digest)) for s in version.shards]
    missing = [(b, p) for b, p in dict.fromkeys(wanted) if not is_whole(p, b, thorough=thorough or p == new_manifest)]
    neighbours = list(_neighbours(folder, version))
    received = 0
    done = version.bytes - sum(blob.bytes for blob, _ in missing)
    progress(done, version.bytes)

    def count(step: int) -> None:
        nonlocal received, done
        received += step
        done += step
        progress(done, version.bytes)

    for blob, path in missing:
        if source := _reusable(neighbours, blob, thorough):
            link_or_copy(source, path)
            done += blob.bytes
            progress(done, version.bytes)
            continue
        done += _partial_size(path)
        address = f"{_address(version.name, f'v{version.version}')}/files/{blob.digest}"
        fetch(client, address, blob, path, count)
    _finish(folder, version, new_manifest)
    return Pulled(version, folder, received, version.bytes - received)


def _finish(folder: Path, version: Version, manifest: Path) -> None:
    """Everything is there: now the directory becomes this version, its description last."""
    if manifest != folder / MANIFEST_FILE:
        (folder / VERSION_FILE).unlink(missing_ok=True)  # between the two renames the directory is no version at all
        manifest.replace(folder / MANIFEST_FILE)
    new = folder / f"{VERSION_FILE}.new"
    with new.open("w", encoding="utf-8") as file:
        json.dump(version.raw, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / VERSION_FILE)
    kept = {shard_path(folder, shard.digest) for shard in version.shards}
    for path in (folder / SHARDS).iterdir():
        if path not in kept and path.name.endswith((".tar", ".tar.part")):
            path.unlink()


def _check(folder: Path, version: Version) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file.", code="not_a_folder")
    if (folder / VERSION_FILE).exists():
        if (found := read(folder).name) != version.name:
            raise UsageError(f"{folder} holds the dataset {found}; choose another --to.", code="other_dataset")
    elif any(not _is_ours(path.name) for path in folder.iterdir()):
        raise UsageError(f"{folder} holds other files; choose another --to.", code="folder_not_empty")


def _is_ours(name: str) -> bool:
    """Whether an interrupted pull may have left this."""
    return name in {SHARDS, LOCK_FILE, MANIFEST_FILE} or name.endswith((".part", ".new"))


def _is(folder: Path, version: Version) -> bool:
    try:
        return read(folder).digest == version.digest
    except LoupeClientError:
        return False


def _neighbours(folder: Path, version: Version) -> Iterator[Path]:
    """Directories beside `folder` with other versions of this dataset."""
    for path in folder.absolute().parent.glob(f"*/{VERSION_FILE}"):
        try:
            if path.parent != folder.absolute() and read(path.parent).name == version.name:
                yield path.parent
        except LoupeClientError:
            continue


def _reusable(neighbours: list[Path], blob: Blob, thorough: bool) -> Path | None:
    paths = (shard_path(neighbour, blob.digest) for neighbour in neighbours)
    return next((path for path in paths if is_whole(path, blob, thorough=thorough)), None)


def _partial_size(path: Path) -> int:
    partial = path.with_name(f"{path.name}.part")
    return partial.stat().st_size if partial.exists() else 0


def _address(name: str, version: str) -> str:
    return f"datasets/{name}/versions/{version}"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuse a second pull in the same directory. The lock goes with its process, however that ends."""
    with (folder / LOCK_FILE).open("a") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # no such locks on Windows
            pass
        except OSError as error:
            raise UsageError(f"Another pull is at work in {folder}.", code="busy") from error
        yield
