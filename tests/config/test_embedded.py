"""The embedded services: private sockets, one supervisor per home, leftovers of killed ones."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from config.embedded import postgres, valkey
from config.embedded.child import Program
from config.embedded.keeper import Keeper
from config.embedded.layout import Layout, ServiceProblem, check_private
from config.embedded.lock import HomeLock
from config.embedded.orphan import end_orphan
from config.embedded.services import running
from config.embedded.supervisor import Service
from config.environment import REPOSITORY, runtime_directory


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="loupe-embedded-"))
    yield path
    shutil.rmtree(runtime_directory(path), ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


def answer(home: Path) -> object:
    with psycopg.connect(host=str(runtime_directory(home)), user="loupe", dbname="loupe") as connection:
        row = connection.execute("SELECT current_user || current_setting('listen_addresses')").fetchone()
        assert row is not None
        return row[0]


def wait_until_gone(processes: list[psutil.Process], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_services_start_are_shared_restart_and_stop(home: Path) -> None:
    with running(home, durable=False) as ours:
        assert answer(home) == "loupe"  # not a superuser, and nothing listens on the network
        assert ours.layout.runtime.stat().st_mode & 0o777 == 0o700
        with running(home) as theirs:
            assert theirs.shared and not ours.shared
            assert theirs.database_url == ours.database_url
        processes = [psutil.Process(s.process.pid) for s in ours.supervisor.services if s.process is not None]
        assert len(processes) == 2
        for process in processes:
            process.kill()
        wait_until_gone(processes)
        deadline = time.monotonic() + 60
        while not (postgres.ready(ours.layout) and valkey.ready(ours.layout)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert answer(home) == "loupe"
        processes = [psutil.Process(s.process.pid) for s in ours.supervisor.services if s.process is not None]
    wait_until_gone(processes, 1)
    assert not (home / "pg" / "postmaster.pid").exists()


def test_one_statement_leaves_cores_to_others_and_commits_last(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, helpers in ((2, 0), (8, 2), (64, 2)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        command = postgres.program(Layout.of(home)).command
        assert f"max_parallel_workers_per_gather={helpers}" in command
        assert not any(word in part for part in command for word in ("fsync=", "synchronous_commit="))


def test_a_first_start_that_was_killed_leaves_nothing_half_made(home: Path) -> None:
    draft = home / "pg.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    with running(home, want_broker=False, durable=False):
        assert answer(home) == "loupe"
    assert not draft.exists()


def test_one_lock_holder_and_the_kernel_frees_it(home: Path) -> None:
    holder = "import sys, time; sys.path.insert(0, sys.argv[1])\nfrom pathlib import Path\n"
    holder += "from config.embedded.lock import HomeLock\n"
    holder += "lock = HomeLock(Path(sys.argv[2])); print(lock.acquire(), flush=True); time.sleep(60)"
    command = [sys.executable, "-c", holder, str(REPOSITORY), str(home / "running")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "True\n"
        lock = HomeLock(home / "running")
        assert not lock.acquire()
        assert lock.holder() == str(process.pid)
        process.kill()
        process.wait()
        assert lock.acquire()
        lock.release()


def test_an_orphan_is_ended_and_a_strange_process_is_not(home: Path) -> None:
    pid_file = home / "some.pid"
    with subprocess.Popen(["sleep", "61.25"]) as sleeper:
        while "61.25" not in psutil.Process(sleeper.pid).cmdline():
            time.sleep(0.01)  # its command line shows a moment after it has begun
        pid_file.write_text(f"{sleeper.pid}\n/elsewhere\n")
        end_orphan(pid_file, mentions="/data/of/ours", signals=[signal.SIGTERM])
        assert sleeper.poll() is None and not pid_file.exists()
        pid_file.write_text(f"{sleeper.pid}\n")
        end_orphan(pid_file, mentions="61.25", signals=[signal.SIGTERM])
        assert sleeper.wait(60) == -signal.SIGTERM and not pid_file.exists()
    pid_file.write_text("not a number")
    end_orphan(pid_file, mentions="x", signals=[signal.SIGTERM])
    assert not pid_file.exists()


def test_sockets_where_others_may_enter_are_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(ServiceProblem, match="only you may enter"):
        check_private(tmp_path)
    tmp_path.chmod(0o700)
    check_private(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(ServiceProblem):
        check_private(link)


def test_a_home_that_can_not_be_made_is_one_sentence(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(ServiceProblem, match="can't be made"):
        Layout.of(blocker / "home").prepare()


def test_a_program_that_ends_at_once_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    program = Program("thing", ["sh", "-c", "echo the reason; exit 3"], tmp_path / "thing.log")
    with Keeper() as keeper, pytest.raises(ServiceProblem, match=r"thing ended with exit status 3; .*the reason"):
        keeper.start([Service(program, ready=lambda: False)])


def test_what_dies_is_started_again_and_what_hangs_is_killed(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    said: list[str] = []
    stubborn = f"echo x >> {starts}; trap '' TERM; while true; do sleep 0.1; done"
    program = Program("thing", ["sh", "-c", stubborn], tmp_path / "thing.log", stop_seconds=0.5)
    with Keeper(say=said.append) as keeper:
        keeper.start([Service(program)])
        deadline = time.monotonic() + 60
        while not starts.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        first = keeper.supervisor.services[0].process
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        while starts.read_text().count("x") < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = psutil.Process(keeper.supervisor.services[0].process.pid)  # type: ignore[union-attr]
    wait_until_gone([second], 1)
    assert said == ["thing ended (signal 9); starting it again"]


@pytest.mark.parametrize("command", [["showmigrations"], ["dispatch", "--help"]])
def test_a_command_says_when_the_database_is_not_running(home: Path, command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOUPE_")}
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=REPOSITORY,
        env={**environment, "LOUPE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "--help" in command:
        assert done.returncode == 0
    else:
        sentence = f"loupe: the database of {home} is not running; start it with `python manage.py up`."
        assert (done.returncode, done.stderr.strip()) == (2, sentence)
