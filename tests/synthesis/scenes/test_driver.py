"""The driver with a worker that crashes, hangs and lies by request. Blender itself: test_blender.py."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from foundation.errors import StorageFull
from synthesis.scenes.driver import BlenderBroken, Driver, SceneFailed
from synthesis.scenes.process import Limits

FAKE = Path(__file__).with_name("fake_worker.py")


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    limits = Limits(seconds=2, start_seconds=60, memory=200 << 20, scenes=4)
    with Driver(Path(sys.executable), textures=tmp_path, limits=limits, worker=(str(FAKE),)) as made:
        yield made
    assert made.pid is None


@pytest.fixture
def spec(tmp_path: Path) -> dict[str, Any]:
    return {"name": "a", "tries": str(tmp_path / "tries")}


def read(answer: dict[str, Any], folder: Path) -> tuple[str, int]:
    assert (folder / "made").read_text() == answer["name"]
    return answer["name"], answer["pid"]


def tries(spec: dict[str, Any]) -> list[str]:
    return Path(spec["tries"]).read_text().split()


def test_one_process_serves_many_and_is_replaced_in_time(driver: Driver, spec: dict[str, Any]) -> None:
    made = [driver.render(spec | {"name": str(number)}, read) for number in range(10)]
    assert [name for name, _ in made] == [str(number) for number in range(10)]
    pids = [pid for _, pid in made]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [4, 4, 2]
    assert not any(psutil.pid_exists(pid) for pid in pids[:8])


@pytest.mark.parametrize("how", ["crash", "exit", "hang", "grow", "garble", "stale"])
@pytest.mark.parametrize("bad", [1, 2])
def test_trouble_costs_a_try(driver: Driver, spec: dict[str, Any], how: str, bad: int) -> None:
    name, pid = driver.render(spec | {"how": how, "bad": bad}, read)
    assert name == "a"
    assert len(set(tries(spec))) == bad + 1
    assert tries(spec)[-1] == str(pid)
    assert driver.render(spec, read)[1] == pid


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("crash", r"signal 11 \(Segmentation fault, they said\)"),
        ("exit", "exit status 3"),
        ("hang", "more than 2 s"),
        ("grow", "more than 200 MiB of memory"),
        ("garble", "nonsense"),
        ("stale", "another question"),
    ],
)
def test_a_scene_that_never_works_is_given_up(driver: Driver, spec: dict[str, Any], how: str, why: str) -> None:
    with pytest.raises(SceneFailed, match=rf"3 processes in a row: .*{why}"):
        driver.render(spec | {"how": how, "bad": 9}, read)
    assert len(tries(spec)) == 3
    assert driver.render(spec | {"name": "other"}, read)[0] == "other"


def test_what_the_scene_itself_gets_wrong_is_not_tried_again(driver: Driver, spec: dict[str, Any]) -> None:
    with pytest.raises(SceneFailed, match="ValueError: no such thing") as caught:
        driver.render(spec | {"how": "problem", "bad": 1}, read)
    assert caught.value.facts["trace"]
    assert len(tries(spec)) == 1


def test_a_full_disk_is_named(driver: Driver, spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(StorageFull, match="disk is full"):
        driver.render(spec | {"how": "problem", "bad": 1}, read)


def test_what_killed_processes_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, new = tmp_path / "loupe-blender-old", tmp_path / "loupe-blender-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "log").write_text("x")
    os.utime(old, (0, 0))
    with Driver(Path(sys.executable), textures=tmp_path):
        assert not old.exists()
        assert new.exists()
    assert list(tmp_path.iterdir()) == [new]


def test_killed_between_and_in_mid_scene(driver: Driver, spec: dict[str, Any]) -> None:
    _, pid = driver.render(spec, read)
    os.kill(pid, signal.SIGKILL)
    _, other = driver.render(spec, read)
    assert other != pid
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(driver.render, spec | {"how": "hang", "bad": 3}, read)
        while len(tries(spec)) < 3:
            time.sleep(0.01)
        os.kill(other, signal.SIGKILL)
        assert made.result()[0] == "a"


def test_threads_take_turns(driver: Driver, spec: dict[str, Any]) -> None:
    with ThreadPoolExecutor(4) as pool:
        names = [str(number) for number in range(12)]
        made = pool.map(lambda name: driver.render(spec | {"name": name}, read)[0], names)
        assert list(made) == names


def test_rays(driver: Driver, spec: dict[str, Any]) -> None:
    assert driver.rays(spec, [(1, 2), (3, 4)]) == [3, 7]


def test_an_interrupted_exchange_is_not_mistaken_for_the_next(driver: Driver, spec: dict[str, Any]) -> None:
    def stopped(answer: dict[str, Any], folder: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        driver.render(spec, stopped)
    assert driver.render(spec | {"name": "next"}, read)[0] == "next"


def test_a_worker_that_does_not_start_is_named(tmp_path: Path, spec: dict[str, Any]) -> None:
    limits = Limits(start_seconds=60)
    broken = Driver(Path(sys.executable), textures=tmp_path, limits=limits, worker=("-c", "raise SystemExit('no bpy')"))
    with broken, pytest.raises(BlenderBroken, match="no bpy"):
        broken.render(spec, read)
    with (
        Driver(tmp_path / "absent", textures=tmp_path) as absent,
        pytest.raises(BlenderBroken, match="doesn't start"),
    ):
        absent.render(spec, read)


_PARENT = """
import sys, time
from pathlib import Path
from synthesis.scenes.driver import Driver
driver = Driver(Path(sys.executable), textures=Path("."), worker=(sys.argv[1],))
print(driver.render({"name": "a", "tries": sys.argv[2]}, lambda answer, out: answer["pid"]), flush=True)
time.sleep(600)
"""


def test_the_worker_ends_with_its_parent(tmp_path: Path) -> None:
    """The fake one by the end of its stdin; Blender's, which may be rendering, by its lifeline (test_blender.py)."""
    command = [sys.executable, "-c", _PARENT, str(FAKE), str(tmp_path / "tries")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
