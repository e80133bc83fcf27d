"""Pulling: complete or not at all, and never a byte twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loupe.client import Client
from loupe.errors import Damaged, NotFound, Unreachable, UsageError
from loupe.fetch import digest_of
from loupe.pull import pull
from loupe.references import Reference, parse
from loupe.version import read


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".pull.lock"
    }


def is_complete(folder: Path, described: dict[str, Any]) -> bool:
    names = {"manifest.parquet", "version.json", *(f"shards/{s['digest']}.tar" for s in described["shards"])}
    return (
        set(files(folder)) == names
        and read(folder).digest == described["digest"]
        and digest_of(folder / "manifest.parquet") == described["manifest"]["digest"]
        and all(digest_of(folder / f"shards/{s['digest']}.tar") == s["digest"] for s in described["shards"])
    )


def test_an_unchanged_version_moves_nothing(server: Any, client: Client, here: Path) -> None:
    described = server.add(1, b"manifest", [b"a" * 1000, b"b" * 2000])
    first = pull(client, parse("people@v1"))
    assert (first.folder, first.bytes_received, first.bytes_reused) == (Path("people-v1"), 3008, 0)
    assert is_complete(first.folder, described)
    again = pull(client, parse("people@latest"))
    assert (again.bytes_received, again.bytes_reused, server.sent) == (0, 3008, 3008)
    assert is_complete(again.folder, described)


def test_a_new_version_beside_it_takes_only_what_is_new(server: Any, client: Client, here: Path) -> None:
    shards = [os.urandom(10_000) for _ in range(100)]
    server.add(1, b"m1", shards)
    pull(client, parse("people@v1"))
    before = files(here / "people-v1")
    described = server.add(2, b"m2", [*shards[:99], b"new"])
    done = pull(client, parse("people@v2"))
    assert done.bytes_received == 5
    assert is_complete(here / "people-v2", described)
    assert files(here / "people-v1") == before


def test_a_folder_is_brought_up_to_date_in_place(server: Any, client: Client, here: Path) -> None:
    server.add(1, b"m1", [b"kept", b"dropped"])
    pull(client, parse("people@v1"), here / "faces")
    described = server.add(2, b"m2", [b"kept", b"added"])
    done = pull(client, parse("people"), here / "faces")
    assert done.bytes_received == len(b"m2" + b"added")
    assert is_complete(here / "faces", described)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 5000), max_size=5), data=st.data(), ranges=st.booleans())
def test_any_cuts_end_in_the_same_files(
    server: Any, client: Client, tmp_path_factory: pytest.TempPathFactory, sizes: list[int], data: Any, ranges: bool
) -> None:
    folder = tmp_path_factory.mktemp("pull") / "faces"
    server.ranges = ranges
    described = server.add(1, b"manifest", [bytes([i]) * size for i, size in enumerate(sizes)])
    cuts = data.draw(st.lists(st.integers(0, 5000), max_size=6))
    server.cut = lambda body: cuts.pop() % (len(body) + 1) if cuts else None
    for _ in range(10):
        try:
            pull(client, parse("people@v1"), folder)
            break
        except Unreachable:
            assert not (folder / "version.json").exists()
    assert is_complete(folder, described)


def test_a_resumed_shard_sends_only_its_rest(server: Any, client: Client, here: Path) -> None:
    server.add(1, b"m", [b"s" * 100_000])
    cuts = [60_000]
    server.cut = lambda body: cuts.pop() if cuts and len(body) > 10 else None
    done = pull(client, parse("people@v1"))
    assert done.bytes_received == server.sent == 100_001


def test_rotten_bytes_are_never_kept(server: Any, client: Client, here: Path) -> None:
    server.add(1, b"m", [b"shard"])
    server.rot = True
    with pytest.raises(Damaged):
        pull(client, parse("people@v1"))
    assert not (here / "people-v1" / "version.json").exists()
    assert not [name for name in files(here / "people-v1") if name.endswith((".tar", ".parquet", ".part"))]


def test_a_rotten_beginning_of_an_earlier_run_is_fetched_again(server: Any, client: Client, here: Path) -> None:
    described = server.add(1, b"m", [b"0123456789"])
    part = here / "people-v1" / "shards" / f"{described['shards'][0]['digest']}.tar.part"
    part.parent.mkdir(parents=True)
    for wrong in (b"01x", b"0123456789 and more", b"x123456789"):
        part.write_bytes(wrong)
        pull(client, parse("people@v1"))
        assert is_complete(here / "people-v1", described)
        (here / "people-v1" / "shards" / f"{described['shards'][0]['digest']}.tar").unlink()


def test_verify_mends_flipped_bits(server: Any, client: Client, here: Path) -> None:
    described = server.add(1, b"m", [b"0123456789"])
    pull(client, parse("people@v1"))
    shard = here / "people-v1" / "shards" / f"{described['shards'][0]['digest']}.tar"
    shard.write_bytes(b"0123x56789")
    pull(client, parse("people@v1"))
    assert not is_complete(here / "people-v1", described)  # its length is right, and reading it all was not asked for
    pull(client, parse("people@v1"), thorough=True)
    assert is_complete(here / "people-v1", described)


def test_a_changed_manifest_is_mended(server: Any, client: Client, here: Path) -> None:
    described = server.add(1, b"manifest", [])
    pull(client, parse("people@v1"))
    (here / "people-v1" / "manifest.parquet").write_bytes(b"mAnifest")
    pull(client, parse("people@v1"))
    assert is_complete(here / "people-v1", described)


def test_other_peoples_files_are_left_alone(server: Any, client: Client, here: Path) -> None:
    server.add(1, b"m", [])
    (here / "thesis").mkdir()
    (here / "thesis" / "chapter.tex").write_text("x")
    (here / "file").write_text("x")
    server.versions["v9"] = {**server.versions["v1"], "name": "other"}
    pull(client, Reference("other", "v9"), here / "other")
    for folder, code in (("thesis", "folder_not_empty"), ("file", "not_a_folder"), ("other", "other_dataset")):
        with pytest.raises(UsageError) as caught:
            pull(client, parse("people@v1"), here / folder)
        assert caught.value.code == code
    assert [path.name for path in (here / "thesis").iterdir()] == ["chapter.tex"]


def test_two_pulls_into_one_folder_do_not_mix(server: Any, client: Client, here: Path) -> None:
    server.add(1, b"m", [])
    pull(client, parse("people@v1"))
    code = (
        "import fcntl, sys; f = open('people-v1/.pull.lock', 'a'); fcntl.flock(f, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(UsageError) as caught:
            pull(client, parse("people@v1"))
        other.stdin.close()
    assert caught.value.code == "busy"
    pull(client, parse("people@v1"))


@pytest.mark.parametrize("digest", ["../../evil", "A" * 64, "", None, 5])
def test_a_digest_never_becomes_another_path(server: Any, client: Client, here: Path, digest: Any) -> None:
    described = server.add(1, b"m", [b"s"])
    described["shards"][0]["digest"] = digest
    with pytest.raises(Damaged):
        pull(client, parse("people@v1"))
    assert list(here.iterdir()) == []


def test_what_does_not_exist(server: Any, client: Client, here: Path) -> None:
    with pytest.raises(NotFound):
        pull(client, parse("people@v5"))
    assert list(here.iterdir()) == []


def test_progress_rises_to_the_total(server: Any, client: Client, here: Path) -> None:
    server.add(1, b"m", [b"a" * 5000, b"b" * 5000])
    seen: list[tuple[int, int]] = []
    pull(client, parse("people@v1"), progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 10_001)
    assert seen[-1] == (10_001, 10_001)
    assert seen == sorted(seen)


@pytest.mark.parametrize("text", ["", "a b", "x@", "@v1", "x@v1@v2", "../x", "x/y"])
def test_bad_references(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)
