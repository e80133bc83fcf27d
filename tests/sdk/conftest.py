"""A small server in this process that speaks the dataset calls, and can be told to misbehave."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from loupe.client import Client
from loupe.credentials import Credentials
from PIL import Image


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Cut(httpx.SyncByteStream):
    """A body whose connection breaks after some bytes."""

    def __init__(self, data: bytes, after: int) -> None:
        self.data, self.after = data, after

    def __iter__(self) -> Iterator[bytes]:
        yield self.data[: self.after]
        raise httpx.ReadError("cut")


@dataclass
class Server:
    """Versions and files; `sent` counts the bytes of files that left it."""

    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    sent: int = 0
    calls: list[httpx.Request] = field(default_factory=list)
    ranges: bool = True
    cut: Callable[[bytes], int | None] = lambda data: None
    rot: bool = False

    def add(self, version: int, manifest: bytes, shards: list[bytes], name: str = "people") -> dict[str, Any]:
        self.files.update({sha256(data): data for data in (manifest, *shards)})
        described = {
            "name": name,
            "version": version,
            "digest": sha256(sha256(manifest).encode()),
            "manifest": {"digest": sha256(manifest), "bytes": len(manifest)},
            "shards": [{"digest": sha256(data), "bytes": len(data)} for data in shards],
            "counts": {},
        }
        self.versions[f"v{version}"] = self.versions["latest"] = described
        return described

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        path = request.url.path.removeprefix("/api/v1/")
        if match := re.fullmatch(r"datasets/(\w+)/versions/(\w+)", path):
            found = self.versions.get(match[2])
            if found is None or found["name"] != match[1]:
                body = {"code": "not_found", "detail": "There is no such version."}
                return httpx.Response(404, json=body, headers={"Content-Type": "application/problem+json"})
            return httpx.Response(200, json=found)
        if match := re.fullmatch(r"datasets/\w+/versions/\w+/files/([0-9a-f]{64})", path):
            return self._file(request, self.files[match[1]])
        return httpx.Response(404)

    def _file(self, request: httpx.Request, data: bytes) -> httpx.Response:
        status = 200
        if self.ranges and (wanted := request.headers.get("Range")):
            data, status = data[int(wanted[6:-1]) :], 206
        if self.rot and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        after = self.cut(data)
        self.sent += len(data) if after is None else after
        if after is not None:
            return httpx.Response(status, stream=Cut(data, after))
        return httpx.Response(status, content=data)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    credentials = Credentials("https://loupe.test", "token")
    with Client(credentials, transport=httpx.MockTransport(server.handle), pause=0) as made:
        yield made


def crop(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (112, 112, 3), dtype=np.uint8)


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.fixture
def make_crop() -> Callable[[int], np.ndarray[Any, np.dtype[np.uint8]]]:
    """The pixels of crop number n."""
    return crop


@pytest.fixture
def pulled_source() -> tuple[bytes, list[bytes], list[dict[str, Any]]]:
    """(manifest, shards, rows) of a small version with real PNG crops: 6 faces, 3 people, one without a name."""
    rows: list[dict[str, Any]] = []
    shards: list[bytes] = []
    identities = [(7, "Anna"), (7, "Anna"), (3, "Bo"), (3, "Bo"), (None, None), (9, "")]
    splits = ["train", "train", "train", "val_eyeball", "train", "train"]
    for start in (0, 3):
        body = b""
        for i in range(start, start + 3):
            data = png(crop(i))
            body += bytes(512)
            rows.append(
                {
                    "face_digest": sha256(data),
                    "identity": identities[i][0],
                    "identity_name": identities[i][1],
                    "split": splits[i],
                    "weight": 1.0 if i else 0.5,
                    "offset": len(body),
                    "length": len(data),
                }
            )
            body += data
        for row in rows[start:]:
            row["shard"] = sha256(body)
        shards.append(body)
    text = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [
            ("face_digest", pa.string()),
            ("identity", pa.int64()),
            ("identity_name", pa.string()),
            ("split", text),
            ("weight", pa.float32()),
            ("offset", pa.int64()),
            ("length", pa.int32()),
            ("shard", text),
        ]
    )
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)
    return file.getvalue(), shards, rows


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an empty place for settings; nothing of the shell's own sign-in."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("LOUPE_CONFIG_DIR", str(tmp_path / "config"))
    for name in ("LOUPE_URL", "LOUPE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return work
