"""From a pulled version's tars to the files in them, as trainers read them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from loupe.errors import Damaged, UsageError
from loupe.version import MANIFEST_FILE, VERSION_FILE, read, shard_path

Progress = Callable[[int, int], None]


def unpack(pulled: Path, folder: Path, *, progress: Progress = lambda done, total: None) -> int:
    """Write every file of a pulled version of files below `folder`, which appears whole or not at all.

    Every file is checked against its digest. `version.json` goes along and says where all of it comes from.

    Returns:
        How many files.

    Raises:
        UsageError: `folder` holds something already, or the version holds faces, which are read from its tars.
        Damaged: bytes differ from their digest, or are missing.
    """
    version = read(pulled)
    manifest = pq.read_table(pulled / MANIFEST_FILE)
    if "path" not in manifest.column_names:
        raise UsageError(f"{version.reference} holds faces; read it with loupe.datasets.FaceDataset.", code="no_files")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds other files; choose another directory.", code="folder_not_empty")
    wanted = dict(zip(manifest["path"].to_pylist(), manifest["digest"].to_pylist(), strict=True))
    partial = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    done = 0
    for shard in version.shards:
        with tarfile.open(shard_path(pulled, shard.digest)) as tar:
            for entry in tar:
                file = tar.extractfile(entry)
                data = b"" if file is None else file.read()
                if hashlib.sha256(data).hexdigest() != wanted.pop(entry.name, None):
                    raise Damaged(f"{entry.name} of {version.reference} differs from its digest; pull again.")
                target = _inside(partial, entry.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                done += 1
                progress(done, manifest.num_rows)
    if wanted:
        raise Damaged(f"{next(iter(wanted))} of {version.reference} is in no shard; pull again.")
    (partial / VERSION_FILE).write_text(json.dumps(version.raw, indent=2), encoding="utf-8")
    if folder.exists():
        folder.rmdir()
    partial.replace(folder)
    return done


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Damaged(f"{name!r} is no path inside a dataset.")
    return path
