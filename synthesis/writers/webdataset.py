"""Shards as WebDataset reads them: plain tar files of `<key>.png` and `<key>.json`, the same bytes every time."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np

from foundation.errors import InvalidInput
from synthesis.samples import Sample
from synthesis.writers.base import Writer, encode_png, plain_json, replace_file


class WebDatasetWriter(Writer):
    """`shard-000000.tar` and so on. The JSON holds `labels`, `params`, `seed` and `index`.

    Labels that are arrays of the image's size, such as depth, are in `<key>.maps.npz` by their names.

    Args:
        shard_size: samples in a shard.
        first_shard: number of the first one, where other writers write those before.
    """

    def __init__(self, target: Path, shard_size: int = 1000, first_shard: int = 0) -> None:
        if shard_size < 1:
            raise InvalidInput(f"A shard holds at least one sample, not {shard_size}.", code="bad_shard_size")
        super().__init__(target)
        self.shard_size = shard_size
        self._shards = first_shard
        self._members: list[tuple[str, bytes]] = []
        self._samples = 0

    def _add(self, sample: Sample) -> None:
        size = sample.image.shape[:2]
        maps = {name: value for name, value in sample.labels.items() if getattr(value, "shape", None) == size}
        labels = {name: value for name, value in sample.labels.items() if name not in maps}
        about = {"labels": labels, "params": sample.params, "seed": sample.seed, "index": sample.index}
        self._members.append((f"{sample.key}.json", plain_json(about).encode()))
        if maps:
            packed = io.BytesIO()
            np.savez_compressed(packed, **maps)
            self._members.append((f"{sample.key}.maps.npz", packed.getvalue()))
        self._members.append((f"{sample.key}.png", encode_png(sample.image)))
        self._samples += 1
        if self._samples == self.shard_size:
            self._flush()

    def _flush(self) -> None:
        replace_file(self.folder / f"shard-{self._shards:06d}.tar", tar_bytes(self._members))
        self._shards += 1
        self._members.clear()
        self._samples = 0

    def finish(self) -> None:
        if self._members:
            self._flush()


def tar_bytes(members: list[tuple[str, bytes]]) -> bytes:
    """A tar of the named contents, without times or owners."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return stream.getvalue()
