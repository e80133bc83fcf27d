"""Content-addressed tar shards that are written once and reused by later versions.

A shard holds crops of one split only, so that a locked split's images are never in a file that others may read. A later
version keeps every shard of which at least half is still wanted and puts what is new into new shards. So a face that
left costs no byte, one that came costs its own bytes, and a relabelled one costs only its row of the manifest.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

SHARD_FACES = 256
_LEAST_LIVE = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a PNG lies: shard (SHA-256 of the tar), offset and length in bytes."""

    shard: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class OldShard:
    """A shard of an earlier version.

    Attributes:
        faces: how many crops are in it, wanted or not.
        members: the crops that the earlier version used, {face digest: place}.
    """

    digest: str
    split: str
    faces: int
    members: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a version is made of: crops already in kept shards, and the crops of each new shard, in order."""

    kept: dict[str, dict[str, Place]]
    new: list[tuple[str, list[str]]]


def plan_shards(wanted: Mapping[str, Sequence[str]], old: Iterable[OldShard], *, size: int = SHARD_FACES) -> Plan:
    """Decide which shards to keep and which to write.

    Args:
        wanted: {split: face digests, in the order in which new shards shall hold them}.
        old: the shards of the version before.

    Returns:
        A plan in which every (split, face digest) is exactly once in `kept` ({split: {digest: place}}) or in `new`
        ((split, digests) per shard).
    """
    missing = {split: dict.fromkeys(digests) for split, digests in wanted.items()}
    kept: defaultdict[str, dict[str, Place]] = defaultdict(dict)
    for shard in old:
        here = missing.get(shard.split, {})
        live = {digest: place for digest, place in shard.members.items() if digest in here}
        if len(live) >= _LEAST_LIVE * shard.faces and live:
            kept[shard.split].update(live)
            for digest in live:
                del here[digest]
    new = []
    for split, digests in missing.items():
        order = list(digests)
        new += [(split, order[start : start + size]) for start in range(0, len(order), size)]
    return Plan(dict(kept), new)


def write_shard(target: BinaryIO, members: Iterable[tuple[str, bytes]]) -> tuple[str, dict[str, Place]]:
    """Write (face digest, PNG) pairs as an uncompressed tar; the same members give the same bytes.

    Returns:
        The tar's SHA-256 and {face digest: place}.
    """
    hashing = _Hashing(target)
    spans: dict[str, tuple[int, int]] = {}
    with tarfile.open(
        fileobj=cast(BinaryIO, hashing), mode="w|", format=tarfile.USTAR_FORMAT, bufsize=tarfile.BLOCKSIZE
    ) as tar:
        for digest, png in members:
            info = tarfile.TarInfo(f"{digest}.png")  # its other fields are constants: no time, no owner
            info.size = len(png)
            # Stream mode counts what it was given, so the data starts one header block after the current offset.
            spans[digest] = (tar.offset + tarfile.BLOCKSIZE, len(png))
            tar.addfile(info, io.BytesIO(png))
    name = hashing.hexdigest()
    return name, {digest: Place(name, offset, length) for digest, (offset, length) in spans.items()}


class _Hashing:
    """A file that passes writes on and hashes them."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._state = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._state.update(data)
        return self._target.write(data)

    def hexdigest(self) -> str:
        return self._state.hexdigest()
