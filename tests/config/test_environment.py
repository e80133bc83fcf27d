"""The environment is read strictly: each wrong value is one sentence that names the variable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import KNOWN, EnvironmentProblem, read, runtime_directory

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def test_everything_has_a_default() -> None:
    environment = read({})
    assert environment.home == REPOSITORY / "var"
    assert environment.database.embedded and environment.broker_embedded
    assert environment.database.host == str(environment.runtime)
    assert environment.storage.directory == REPOSITORY / "var" / "blobs"
    assert (environment.bind_host, environment.bind_port) == ("127.0.0.1", 8000)
    assert not environment.debug
    assert "*" not in environment.allowed_hosts


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOUPE_DEVICE", "tpu"),
        ("LOUPE_WORKERS", "0"),
        ("LOUPE_WORKERS", "two"),
        ("LOUPE_WORKERS", "1_0"),
        ("LOUPE_BIND", "8000"),
        ("LOUPE_BIND", "127.0.0.1:70000"),
        ("LOUPE_BIND", "127.0.0.1:0"),
        ("LOUPE_STORAGE", "/var/blobs"),
        ("LOUPE_STORAGE", "file://blobs"),
        ("LOUPE_STORAGE", "s3://Not_A_Bucket"),
        ("LOUPE_STORAGE", "gs://bucket"),
        ("LOUPE_SECRET_KEY", "short"),
        ("LOUPE_DEBUG", "true"),
        ("LOUPE_ALLOWED_HOSTS", "a b"),
        ("LOUPE_ALLOWED_HOSTS", "https://a"),
        ("LOUPE_PUBLIC_URL", "loupe.example.org"),
        ("LOUPE_PUBLIC_URL", "https://loupe.example.org/path"),
        ("LOUPE_LOG_LEVEL", "loud"),
        ("LOUPE_MAX_UPLOAD_MB", "-1"),
        ("LOUPE_HOME", str(REPOSITORY / "manage.py")),
        ("DATABASE_URL", "mysql://u:p@h/n"),
        ("DATABASE_URL", "postgresql://h"),
        ("DATABASE_URL", "postgresql://h:99999/n"),
        ("BROKER_URL", "amqp://h"),
        ("BROKER_URL", "redis://"),
        ("BROKER_URL", "redis+socket://relative"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        read({name: value})
    text = str(caught.value)
    assert text.startswith(name) and "\n" not in text and text.endswith((".", "?"))


@pytest.mark.parametrize("url", ["postgresql://me:hunter2secret@h:99999/n", "postgresql://me:hunter2secret@h"])
def test_a_password_is_never_repeated(url: str) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        read({"DATABASE_URL": url})
    assert "hunter2secret" not in str(caught.value)


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(EnvironmentProblem, match=r"LOUPE_WORKER is not .* did you mean LOUPE_WORKERS\?"):
        read({"LOUPE_WORKER": "2"})
    assert read({"LOUPE_TEST_DATA": "/anything"}).workers >= 1


def test_database_urls() -> None:
    database = read({"DATABASE_URL": "postgresql://a%40b:p%2Fw@db.example.org:6432/faces?sslmode=require"}).database
    assert (database.user, database.password, database.host) == ("a@b", "p/w", "db.example.org")
    assert (database.port, database.name, database.embedded) == (6432, "faces", False)
    assert database.options == {"sslmode": "require"}
    socket = read({"DATABASE_URL": "postgresql://loupe@/loupe?host=/run/pg"}).database
    assert (socket.host, socket.user, socket.options) == ("/run/pg", "loupe", {})


def test_listening_everywhere_needs_named_hosts() -> None:
    with pytest.raises(EnvironmentProblem, match="LOUPE_ALLOWED_HOSTS"):
        read({"LOUPE_BIND": "0.0.0.0:8000"})
    found = read({"LOUPE_BIND": "0.0.0.0:8000", "LOUPE_PUBLIC_URL": "https://loupe.example.org"})
    assert "loupe.example.org" in found.allowed_hosts


def test_two_homes_never_share_sockets_and_paths_stay_short(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 200)
    one, other = runtime_directory(tmp_path / "a"), runtime_directory(deep)
    assert one != other
    assert len(os.fsencode(other / ".s.PGSQL.5432.lock")) < 100
    link = tmp_path / "link"
    (tmp_path / "a").mkdir()
    link.symlink_to(tmp_path / "a")
    assert runtime_directory(link) == one


def test_every_setting_is_described() -> None:
    for name, text in KNOWN.items():
        assert name.startswith("LOUPE_") and len(text) > 10


def test_a_process_ends_with_the_sentence_and_no_stack(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=REPOSITORY,
        env={**os.environ, "LOUPE_HOME": str(tmp_path), "LOUPE_WORKERS": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.strip() == "loupe: LOUPE_WORKERS must be a whole number from 1 to 256, not 'many'."
