"""Blender's environment, made here of small requirements: whole or not at all, once, and again when they change."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from foundation.errors import Cancelled, StorageFull
from synthesis.scenes import environment
from synthesis.scenes.environment import BlenderMissing, installed, set_up


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Requirements of nothing, and a system that has all libraries."""
    path = tmp_path / "requirements.txt"
    path.write_text("# nothing\n")
    monkeypatch.setattr(environment, "REQUIREMENTS", path)
    monkeypatch.setattr(environment, "LIBRARIES", {"libc.so.6": "libc6"})
    return path


def test_made_once_and_again_when_requirements_change(tmp_path: Path, requirements: Path) -> None:
    folder = tmp_path / "blender"
    assert installed(folder) is None
    steps: list[tuple[int, int]] = []
    python = set_up(folder, lambda done, total: steps.append((done, total)))
    assert subprocess.run([python, "-c", "print(1)"], capture_output=True, check=True).stdout == b"1\n"
    assert steps[-1][0] == steps[-1][1]
    assert set_up(folder, lambda done, total: pytest.fail("made twice")) == python == installed(folder)
    requirements.write_text("# nothing else\n")
    assert installed(folder) is None
    (folder / "env-of-a-killed-process").mkdir()
    assert set_up(folder) != python
    assert len(list(folder.glob("env-*"))) == 1


def test_two_at_once_make_it_once(tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    monkeypatch.setattr(environment, "_install", lambda place, progress: (place.mkdir(), made.append(place)))
    with ThreadPoolExecutor(3) as pool:
        pythons = list(pool.map(lambda _: set_up(tmp_path / "blender"), range(3)))
    assert len(made) == 1
    assert len(set(pythons)) == 1


def test_half_made_ones_are_never_used(tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "blender"

    def stopped(done: int, total: int) -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        set_up(folder, stopped)
    assert installed(folder) is None
    assert list(folder.glob("env-*")) == []
    assert not [child for child in psutil.Process().children() if "pip" in child.cmdline()]
    requirements.write_text("no-such-distribution-anywhere==1.0\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(BlenderMissing, match=r"There is no no-such-distribution-anywhere==1\.0 for this machine"):
        set_up(folder)
    assert list(folder.glob("env-*")) == []


def test_missing_libraries_are_named_with_the_line_to_run(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "LIBRARIES", {"libc.so.6": "libc6", "libabsent.so.9": "libabsent9"})
    monkeypatch.setattr(environment.os, "geteuid", lambda: 1000)
    with pytest.raises(BlenderMissing, match=r"As root: apt-get install libabsent9$"):
        set_up(tmp_path / "blender")


def test_the_wrong_python_is_named(tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.sys, "version_info", (3, 12, 0))
    with pytest.raises(BlenderMissing, match=r"CPython 3.11 only"):
        set_up(tmp_path / "blender")


@pytest.mark.parametrize(
    ("log", "error", "message"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            StorageFull,
            "full",
        ),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(...)'\n"
            "ERROR: No matching distribution found for bpy==5.0.1",
            BlenderMissing,
            "registry can't be reached",
        ),
        ("ERROR: No matching distribution found for bpy==5.0.1", BlenderMissing, r"no bpy==5\.0\.1 for this machine"),
        ("Collecting\nERROR: something else\n", BlenderMissing, "could not be made: ERROR: something else"),
    ],
)
def test_what_pip_says_becomes_a_sentence(log: str, error: type[Exception], message: str) -> None:
    problem = environment._problem(log)
    assert type(problem) is error
    with pytest.raises(error, match=message):
        raise problem
