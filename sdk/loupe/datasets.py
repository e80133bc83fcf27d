"""A pulled version as a dataset for training: one aligned face crop and its class per item."""

from __future__ import annotations

import io
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

from loupe.errors import Damaged, UsageError
from loupe.fetch import digest_of
from loupe.version import MANIFEST_FILE, read, shard_path

if TYPE_CHECKING:
    from torch.utils.data import Dataset as _Dataset

    Base = _Dataset[tuple[Any, int]]
else:
    try:
        from torch.utils.data import Dataset as Base
    except ImportError:  # torch is optional: any loader that indexes will do
        Base = object

LOCKED = {"test", "val_blackbox"}
Crop = npt.NDArray[np.uint8]


class FaceDataset(Base):
    """The faces of one split of a pulled version.

    Items are `(crop, target)`: the crop a uint8 RGB array (112, 112, 3), or what `transform` makes of it; the target an
    index into `classes`. Faces that nobody could name have no identity; they are left out unless `unlabelled` is set,
    and then have target -1. Shards are memory-mapped when first read, so it pickles to loader workers.

    Attributes:
        version: name, number and digest of what was pulled.
        classes: identities of the split, sorted; `class_names` are their names.
        targets: int64 (n,), class of each face, -1 for none.
        weights: float32 (n,), how much each face counts in a loss.

    Raises:
        NotFound: nothing was pulled there.
        Damaged: the pull did not finish, or the manifest was changed.
        UsageError: the version has no such split, or it is locked.
    """

    def __init__(
        self,
        path: str | Path,
        split: str = "train",
        *,
        transform: Callable[[Crop], Any] | None = None,
        unlabelled: bool = False,
    ) -> None:
        self.folder = Path(path)
        self.split = split
        self.transform = transform
        self.version = read(self.folder)
        manifest = self.folder / MANIFEST_FILE
        if not manifest.is_file() or digest_of(manifest) != self.version.manifest.digest:
            raise Damaged(f"The pull into {self.folder} did not finish; run it again.", code="incomplete")
        table = pq.read_table(manifest)
        if "identity" not in table.column_names:
            raise UsageError(
                f"{self.version.reference} holds no faces; loupe.unpack brings out its files.", code="no_faces"
            )
        splits = sorted(table["split"].unique().to_pylist())
        table = table.filter(pc.equal(table["split"], split))
        if not unlabelled:
            table = table.filter(pc.is_valid(table["identity"]))
        if table.num_rows == 0:
            why = "its pictures are locked" if split in LOCKED else f"it has {', '.join(splits) or 'no rows'}"
            raise UsageError(f"{self.version.reference} gives no faces of split {split!r}: {why}.", code="no_split")
        self.table = table
        identities = table["identity"].to_pylist()
        self.classes: list[Any] = sorted({identity for identity in identities if identity is not None})
        index = {identity: i for i, identity in enumerate(self.classes)}
        names = dict(zip(identities, table["identity_name"].to_pylist(), strict=True))
        self.class_names: list[str] = [names[identity] or str(identity) for identity in self.classes]
        self.targets = np.array([-1 if i is None else index[i] for i in identities], dtype=np.int64)
        self.weights = table["weight"].to_numpy().astype(np.float32)
        self._shards = [str(shard) for shard in table["shard"].to_pylist()]
        self._offsets = table["offset"].to_numpy()
        self._lengths = table["length"].to_numpy()
        self._open: dict[str, mmap.mmap] = {}

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        crop = self.crop(index)
        return (crop if self.transform is None else self.transform(crop)), int(self.targets[index])

    def crop(self, index: int) -> Crop:
        """The face as stored: uint8 RGB (112, 112, 3). Raises Damaged."""
        data = self._bytes(range(len(self))[index])
        try:
            with Image.open(io.BytesIO(data)) as image:
                return np.array(image.convert("RGB"), dtype=np.uint8)
        except (OSError, SyntaxError) as error:
            raise Damaged(f"Face {index} of {self.folder} can't be decoded: {error}.", code="bad_crop") from error

    def row(self, index: int) -> dict[str, Any]:
        """All that the manifest says about a face: digests, identity, label source, box, landmarks, provenance."""
        rows: list[dict[str, Any]] = self.table.slice(range(len(self))[index], 1).to_pylist()
        return rows[0]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}

    def _bytes(self, index: int) -> bytes:
        shard, offset, length = self._shards[index], int(self._offsets[index]), int(self._lengths[index])
        data = self._map(shard)[offset : offset + length]
        if len(data) != length:
            raise Damaged(f"Shard {shard[:12]} of {self.folder} is too short.", code="bad_shard")
        return data

    def _map(self, shard: str) -> mmap.mmap:
        if shard not in self._open:
            path = shard_path(self.folder, shard)
            if not path.is_file():
                raise Damaged(f"Shard {shard[:12]} of {self.folder} is missing; pull again.", code="bad_shard")
            with path.open("rb") as file:
                self._open[shard] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._open[shard]
