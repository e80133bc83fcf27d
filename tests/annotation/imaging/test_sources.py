from __future__ import annotations

import ast
import os
import stat
import zipfile
from pathlib import Path

import pytest

from annotation.imaging.refusal import REASONS, ImageRefused
from annotation.imaging.sources import FolderSource, Source, ZipSource
from annotation.imaging.sources.zipped import BadArchive, ZipLimits


def outcomes(source: Source, *, max_bytes: int = 1000) -> dict[str, bytes | str]:
    """{path: bytes, or the code of the refusal}."""
    found: dict[str, bytes | str] = {}
    for entry in source.entries():
        assert entry.path not in found
        try:
            found[entry.path] = source.read(entry.locator, max_bytes=max_bytes)
        except ImageRefused as refusal:
            assert refusal.code in REASONS
            found[entry.path] = refusal.code
    return found


def test_a_folder_is_read_to_its_depth_and_links_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    (root / "anna" / "2021").mkdir(parents=True)
    (root / "anna" / "2021" / "a.jpg").write_bytes(b"one")
    (root / "b.jpg").write_bytes(b"two")
    (root / ".DS_Store").write_bytes(b"junk")
    (root / "__MACOSX").mkdir()
    (root / "__MACOSX" / "c.jpg").write_bytes(b"junk")
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "link.jpg").symlink_to(tmp_path / "secret")
    (root / "elsewhere").symlink_to(tmp_path, target_is_directory=True)
    (root / "large.jpg").write_bytes(bytes(1001))
    os.mkfifo(root / "pipe.jpg")
    assert outcomes(FolderSource(root)) == {
        "anna/2021/a.jpg": b"one",
        "b.jpg": b"two",
        "elsewhere": "not_a_file",
        "large.jpg": "too_many_bytes",
        "link.jpg": "not_a_file",
        "pipe.jpg": "not_a_file",
    }


def test_paths_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "photos" / "in").mkdir(parents=True)
    (tmp_path / "photos" / "up").symlink_to(tmp_path)
    source = FolderSource(tmp_path / "photos")
    for path in ("../secret", "in/../../secret", "/etc/passwd", "up/secret", "a%00b", "gone.jpg", "in"):
        with pytest.raises(ImageRefused) as caught:
            source.read(path, max_bytes=100)
        assert caught.value.code in {"outside_root", "missing_file", "not_a_file"}


def test_names_that_are_no_unicode_or_too_long_are_read_and_told_apart(tmp_path: Path) -> None:
    for raw in (b"caf\xe9.jpg", b"caf\xe8.jpg", b"new\nline.jpg", "schön.jpg".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + raw)).write_bytes(raw)
    found = outcomes(FolderSource(tmp_path))
    assert found["schön.jpg"] == "schön.jpg".encode()
    assert len(found) == 4
    assert all(path.isprintable() and path.encode() for path in found)
    assert set(found.values()) == {b"caf\xe9.jpg", b"caf\xe8.jpg", b"new\nline.jpg", "schön.jpg".encode()}


def test_what_may_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / "a.jpg").write_bytes(b"x")
    (tmp_path / "b.jpg").write_bytes(b"x")
    (tmp_path / "ok.jpg").write_bytes(b"x")
    (tmp_path / "locked").chmod(0)
    (tmp_path / "b.jpg").chmod(0)
    try:
        found = _as_nobody(tmp_path) if os.geteuid() == 0 else outcomes(FolderSource(tmp_path))
    finally:
        (tmp_path / "locked").chmod(stat.S_IRWXU)
    assert found == {"b.jpg": "no_permission", "locked": "no_permission", "ok.jpg": b"x"}


def _as_nobody(folder: Path) -> dict[str, bytes | str]:
    """Root may read everything, so a child process that is nobody looks."""
    for parent in (folder, folder.parent, folder.parent.parent, folder.parent.parent.parent):
        if parent.name.startswith(("pytest-", "test_")):
            parent.chmod(0o755)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setresuid(65534, 65534, 65534)
        os.write(writer, repr(outcomes(FolderSource(folder))).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    answer: dict[str, bytes | str] = ast.literal_eval(text)
    return answer


def test_a_hostile_zip_costs_only_its_hostile_files(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("anna/a.jpg", b"one")
        archive.writestr("../up.jpg", b"evil")
        archive.writestr("/root.jpg", b"evil")
        archive.writestr("in/../../up.jpg", b"evil")
        archive.writestr("..\\windows.jpg", b"evil")
        archive.writestr("C:/windows.jpg", b"evil")
        archive.writestr(link, "/etc/passwd")
        archive.writestr("bomb.jpg", bytes(3 << 20))
        archive.writestr("large.jpg", os.urandom(1 << 16))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("anna/a.jpg", b"two")
    found = outcomes(ZipSource(path), max_bytes=1 << 23)
    assert found.pop("large.jpg").__class__ is bytes
    assert found == {
        "anna/a.jpg": b"one",
        "../up.jpg": "outside_root",
        "root.jpg": "outside_root",
        "in/../../up.jpg": "outside_root",
        "../windows.jpg": "outside_root",
        "C:/windows.jpg": "outside_root",
        "link.jpg": "not_a_file",
        "bomb.jpg": "zip_bomb",
        "anna/a.jpg#2": b"two",
    }
    assert outcomes(ZipSource(path), max_bytes=1 << 15)["large.jpg"] == "too_many_bytes"


def test_a_zip_that_lies_about_sizes_or_is_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lies.jpg", b"x" * 5000)
        archive.writestr("fine.jpg", b"fine")
    data = bytearray(path.read_bytes())
    table = data.rindex(b"PK\x01\x02", 0, data.rindex(b"fine.jpg"))
    table = data.index(b"PK\x01\x02")
    data[table + 24 : table + 28] = (10).to_bytes(4, "little")  # declares 10 bytes
    path.write_bytes(data)
    found = outcomes(ZipSource(path))
    assert found == {"lies.jpg": "corrupt_archive_entry", "fine.jpg": b"fine"}
    data[table + 8] |= 1  # encrypted
    path.write_bytes(data)
    assert outcomes(ZipSource(path))["lies.jpg"] == "encrypted"


def test_limits_of_an_archive_refuse_only_what_lies_beyond(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(6):
            archive.writestr(f"{number}.jpg", b"x" * 10)
    found = outcomes(ZipSource(path, limits=ZipLimits(total=35)))
    assert list(found.values()) == [b"x" * 10] * 3 + ["archive_too_large"] * 3
    found = outcomes(ZipSource(path, limits=ZipLimits(entries=4)))
    assert found.pop("(2 more files)") == "too_many_entries"
    assert list(found.values()) == [b"x" * 10] * 4
    with pytest.raises(BadArchive):
        ZipSource(path, limits=ZipLimits(directory=100))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 nothing", b"PK\x05\x06" + bytes(5), b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with pytest.raises(BadArchive):
        ZipSource(path)
