"""Finding photos and sending only what is missing."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import httpx
import pytest
from loupe import photos, upload
from loupe.client import Client
from loupe.credentials import Credentials
from loupe.errors import UsageError


class Uploads:
    """The upload calls: keeps what it is sent, by digest and by path."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.named: dict[str, str] = {}
        self.requests: list[tuple[int, int]] = []
        self.failures = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        if self.failures:
            self.failures -= 1
            return httpx.Response(503)
        path = request.url.path.removeprefix("/api/v1/")
        if path == "uploads/known":
            asked = json.loads(request.content)["digests"]
            assert len(asked) <= 1000
            return httpx.Response(200, json={"known": [digest for digest in asked if digest in self.stored]})
        if path == "uploads/by-digest":
            body = json.loads(request.content)
            for entry in body["listing"]:
                assert entry["digest"] in self.stored
                self.named[entry["path"]] = entry["digest"]
            return httpx.Response(201, json={})
        assert path == "uploads"
        fields, files = self._form(request)
        listing = json.loads(fields["listing"])
        assert len(listing) == len(files)
        for entry, content in zip(listing, files, strict=True):
            assert hashlib.sha256(content).hexdigest() == entry["digest"]
            self.stored[entry["digest"]] = content
            self.named[entry["path"]] = entry["digest"]
        self.requests.append((len(files), sum(map(len, files))))
        return httpx.Response(201, json={})

    def _form(self, request: httpx.Request) -> tuple[dict[str, str], list[bytes]]:
        head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
        fields, files = {}, []
        for part in message_from_bytes(head + request.read()).get_payload():
            content = part.get_payload(decode=True)  # type: ignore[union-attr]
            if part.get_filename():  # type: ignore[union-attr]
                files.append(content)
            else:
                fields[part.get_param("name", header="Content-Disposition")] = content.decode()  # type: ignore[union-attr]
        return fields, files  # type: ignore[return-value]


@pytest.fixture
def uploads() -> Uploads:
    return Uploads()


@pytest.fixture
def client(uploads: Uploads) -> Iterator[Client]:
    transport = httpx.MockTransport(uploads.handle)
    with Client(Credentials("https://loupe.test", "t"), transport=transport, pause=0) as made:
        yield made


def send(client: Client, *paths: Path) -> upload.Uploaded:
    with photos.find(list(paths)) as found:
        return upload.upload(client, found)


def album(folder: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


CONTENT = {"a/1.jpg": b"one", "a/ü 2.jpg": b"two", "b/1.jpg": b"one", "empty.jpg": b""}


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_all_arrives_under_its_name_once(client: Client, uploads: Uploads, tmp_path: Path, kind: str) -> None:
    source = album(tmp_path / "x", CONTENT) if kind == "folder" else zipped(tmp_path / "x.zip", CONTENT)
    done = send(client, source)
    assert {path: uploads.stored[digest] for path, digest in uploads.named.items()} == CONTENT
    assert (done.files, done.bytes_sent, done.files_known) == (4, 6, 1)
    again = send(client, source)
    assert (again.bytes_sent, again.files_known) == (0, 4)
    assert again.batch != done.batch


def test_a_lost_answer_sends_the_same_batch_again(client: Client, uploads: Uploads, tmp_path: Path) -> None:
    uploads.failures = 2
    send(client, album(tmp_path / "x", CONTENT))
    assert len(uploads.named) == 4
    uploads.stored.clear()
    source = zipped(tmp_path / "x.zip", CONTENT)
    with photos.find([source]) as found:
        uploads.failures = 1
        upload.upload(client, found)
    assert set(uploads.stored.values()) == {b"one", b"two", b""}


def test_batches_are_bounded(client: Client, uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "BATCH_FILES", 3)
    monkeypatch.setattr(upload, "BATCH_BYTES", 1000)
    content = {f"{i}.jpg": os.urandom(50 + 400 * (i % 3)) for i in range(20)} | {"big.jpg": os.urandom(5000)}
    seen: list[tuple[int, int]] = []
    with photos.find([album(tmp_path / "x", content)]) as found:
        upload.upload(client, found, lambda done, total: seen.append((done, total)))
    assert all(files <= 3 and (size <= 1000 or files == 1) for files, size in uploads.requests)
    assert len(uploads.named) == 21
    assert seen[-1][0] == seen[-1][1]
    assert seen == sorted(seen)


def test_hidden_and_system_files_stay_at_home(tmp_path: Path) -> None:
    names = {".git/x": b"", "a/.DS_Store": b"", "a/Thumbs.db": b"", "__MACOSX/a.jpg": b"", "a/b.jpg": b"x"}
    for source in (album(tmp_path / "x", names), zipped(tmp_path / "x.zip", names)):
        with photos.find([source]) as found:
            assert [photo.path for photo in found] == ["a/b.jpg"]


@pytest.mark.parametrize("name", ["../evil.jpg", "/etc/evil.jpg", "a/../../evil.jpg", "..\\evil.jpg", "C:\\evil.jpg"])
def test_zips_that_reach_outside(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught, photos.find([zipped(tmp_path / "x.zip", {name: b"x"})]):
        pass
    assert caught.value.code == "unsafe_zip"


def test_links_and_bombs_in_zips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        member = zipfile.ZipInfo("link.jpg")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(UsageError) as caught, photos.find([tmp_path / "link.zip"]):
        pass
    assert caught.value.code == "unsafe_zip"
    monkeypatch.setattr(photos, "MAX_MEMBER_BYTES", 1000)
    with pytest.raises(UsageError) as caught, photos.find([zipped(tmp_path / "b.zip", {"a.jpg": bytes(2000)})]):
        pass
    assert caught.value.code == "zip_bomb"


def test_what_can_not_be_sent(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    one, other = album(tmp_path / "1", {"a.jpg": b"1"}), album(tmp_path / "2", {"a.jpg": b"2"})
    cases: list[tuple[list[Path], str]] = [
        ([tmp_path / "empty"], "no_files"),
        ([tmp_path / "missing"], "no_such_file"),
        ([tmp_path / "bad.zip"], "bad_zip"),
        ([one / "a.jpg", other / "a.jpg"], "same_name"),
    ]
    for paths, code in cases:
        with pytest.raises(UsageError) as caught, photos.find(paths):
            pass
        assert caught.value.code == code


def test_single_files_have_their_own_name(tmp_path: Path) -> None:
    file = album(tmp_path / "x", {"a.jpg": b"1"}) / "a.jpg"
    with photos.find([file]) as found:
        assert [(photo.path, photo.size, photo.digest()) for photo in found] == [
            ("a.jpg", 1, hashlib.sha256(io.BytesIO(b"1").read()).hexdigest())
        ]
