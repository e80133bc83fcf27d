"""Real processes, killed for real: workers, the broker, the database, the supervisor. Nothing is lost or doubled."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from config.environment import REPOSITORY, runtime_directory

ENQUEUE = """
import sys, json, django
django.setup()
from jobs.services import enqueue
print(enqueue(kind=sys.argv[1], params=json.loads(sys.argv[2])).pk)
"""


class Installation:
    """`manage.py up` in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LOUPE_")},
            "LOUPE_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "tests.jobs.worker_settings",
            "PYTHONPATH": str(REPOSITORY),
        }
        self.process: subprocess.Popen[str] | None = None

    def up(self) -> None:
        command = [sys.executable, "manage.py", "up", "--no-web", "--workers", "2"]
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Loupe runs"), line + self.process.stdout.read()

    def down(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=60)

    def children(self, word: str) -> list[psutil.Process]:
        """Live direct children whose command line contains `word`."""
        assert self.process is not None
        found = []
        for child in psutil.Process(self.process.pid).children():
            try:
                if child.status() != psutil.STATUS_ZOMBIE and any(word in part for part in child.cmdline()):
                    found.append(child)
            except psutil.Error:
                continue
        return found

    def kill(self, word: str) -> None:
        """SIGKILL the first live child of that kind, waiting for one to be there."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for child in self.children(word):
                child.kill()
                return
            time.sleep(0.1)
        raise AssertionError(f"no {word} came back")

    def enqueue(self, kind: str, params: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", ENQUEUE, kind, params],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return int(done.stdout)

    def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Rows of a query; patient while the database restarts."""
        deadline = time.monotonic() + 60
        while True:
            try:
                with psycopg.connect(
                    host=str(runtime_directory(self.home)), user="loupe", dbname="loupe", connect_timeout=5
                ) as connection:
                    return connection.execute(query.encode(), values).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def wait_for_done(self, job: int, count: int) -> None:
        """Until at least `count` units are done."""
        deadline = time.monotonic() + 60
        query = "SELECT count(*) FROM jobs_unit WHERE job_id = %s AND state = 'done'"
        while int(str(self.ask(query, job)[0][0])) < count:
            assert time.monotonic() < deadline, f"job {job} stands still"
            time.sleep(0.1)

    def wait_for_end(self, job: int, *, seconds: float = 90) -> str:
        deadline = time.monotonic() + seconds
        while True:
            state = str(self.ask("SELECT state FROM jobs_job WHERE id = %s", job)[0][0])
            if state not in {"queued", "planning", "running"}:
                return state
            if time.monotonic() > deadline:
                raise AssertionError(
                    self.ask("SELECT state, count(*) FROM jobs_unit WHERE job_id = %s GROUP BY 1", job)
                )
            time.sleep(0.2)

    def check_complete(self, job: int, count: int) -> None:
        """The job ended well and every unit's effect is there exactly once."""
        assert self.wait_for_end(job) == "finished"
        effects = [row[0] for row in self.ask("SELECT session_data FROM django_session ORDER BY 1")]
        mine = [effect for effect in effects if str(effect).startswith(f"{job}/")]
        assert mine == [f"{job}/{number:04d}" for number in range(count)]
        counters = "SELECT units_total, units_done, units_failed FROM jobs_job WHERE id = %s"
        assert self.ask(counters, job) == [(count, count, 0)]


@contextmanager
def installation() -> Iterator[Installation]:
    home = Path(tempfile.mkdtemp(prefix="loupe-kill-"))
    found = Installation(home)
    try:
        found.up()
        yield found
    finally:
        found.down()
        shutil.rmtree(runtime_directory(home), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def loupe() -> Iterator[Installation]:
    with installation() as found:
        yield found


def test_workers_killed_during_a_job(loupe: Installation) -> None:
    job = loupe.enqueue("effect", '{"count": 40, "seconds": 0.1}')
    for kill in range(3):
        loupe.wait_for_done(job, 5 + 10 * kill)
        loupe.kill("celery")
    loupe.check_complete(job, 40)
    assert loupe.ask("SELECT max(attempts) FROM jobs_unit WHERE job_id = %s", job) == [(0,)]


def test_the_broker_killed_during_a_job(loupe: Installation) -> None:
    job = loupe.enqueue("batched", '{"count": 48, "seconds": 0.1}')
    loupe.wait_for_done(job, 8)
    loupe.kill("valkey")
    loupe.check_complete(job, 48)
    after = loupe.enqueue("effect", '{"count": 5}')
    loupe.check_complete(after, 5)


def test_the_database_killed_during_a_job(loupe: Installation) -> None:
    job = loupe.enqueue("effect", '{"count": 40, "seconds": 0.1}')
    loupe.wait_for_done(job, 10)
    loupe.kill("bin/postgres")
    loupe.check_complete(job, 40)


def test_a_planner_killed_during_planning(loupe: Installation) -> None:
    job = loupe.enqueue("effect", '{"count": 30, "plan_seconds": 0.05}')
    deadline = time.monotonic() + 60
    while loupe.ask("SELECT count(*) FROM jobs_unit WHERE job_id = %s", job) == [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert loupe.ask("SELECT state FROM jobs_job WHERE id = %s", job) == [("planning",)]
    for child in loupe.children("celery"):
        child.kill()
    loupe.check_complete(job, 30)


def test_the_supervisor_killed_during_a_job(loupe: Installation) -> None:
    job = loupe.enqueue("effect", '{"count": 40, "seconds": 0.1}')
    loupe.wait_for_done(job, 5)
    assert loupe.process is not None
    family = psutil.Process(loupe.process.pid).children()
    loupe.process.kill()
    loupe.process.communicate()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE], "children outlived it"
    loupe.up()
    loupe.check_complete(job, 40)


def test_a_second_up_in_the_same_home_is_refused_in_one_sentence(loupe: Installation) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=REPOSITORY,
        env=loupe.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: Loupe already runs in ") and done.stderr.count("\n") == 1


@pytest.mark.slow
def test_twenty_kills_of_workers_in_one_job_of_batches(loupe: Installation) -> None:
    job = loupe.enqueue("batched", '{"count": 300, "seconds": 0.1}')
    for _ in range(20):
        loupe.kill("celery")
        time.sleep(1.0)
    loupe.check_complete(job, 300)
    assert loupe.ask("SELECT max(attempts) FROM jobs_unit WHERE job_id = %s", job) == [(0,)]
