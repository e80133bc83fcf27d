"""Fixtures for every test. PostgreSQL and Valkey start with the first test that needs them, and only then."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from config.embedded.services import Running, running
from tests.gate import Gate

REPOSITORY = Path(__file__).resolve().parent.parent

# The same examples every time: what passes here passes elsewhere. `--hypothesis-profile=default` seeks new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.load_profile("repeatable")


def pytest_unconfigure(config: pytest.Config) -> None:
    home = Path(settings.LOUPE_HOME)
    if home.name.startswith("loupe-test-"):
        shutil.rmtree(settings.ENV.runtime, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if any(item.get_closest_marker("browser") for item in items) and chromium() is None:
        reason = "Chromium was not found (apt-get install chromium)"
        if os.environ.get("CI") == "true":
            raise pytest.UsageError(f"CI=true, but {reason}")
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=reason))


def chromium() -> str | None:
    """The system's Chromium."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


@pytest.fixture(scope="session")
def services() -> Iterator[Running]:
    """PostgreSQL and Valkey of this run's home."""
    with running(Path(settings.LOUPE_HOME), durable=False) as found:
        yield found


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: Running, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Whoever uses the database starts the services first."""


@pytest.fixture
def live_server(live_server: LiveServer) -> Iterator[LiveServer]:
    """Django's, which answers nothing more once the test is over: the database is emptied then."""
    server = live_server.thread.httpd
    gate = server.get_app()
    if not isinstance(gate, Gate):
        gate = Gate(gate)
        server.set_app(gate)
    with gate.open():
        yield live_server


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of the browser, for tests marked `browser`."""
    found = chromium()
    assert found is not None
    return found


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Real photos with true labels; see `LOUPE_TEST_DATA`."""
    path = Path(os.environ.get("LOUPE_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    if not path.is_dir():
        pytest.skip(f"NO REAL PHOTOS: {path} is missing; set LOUPE_TEST_DATA to their directory")
    return path


@pytest.fixture(scope="session")
def weights_dir() -> Path:
    """Where downloaded weights are kept between runs."""
    path = Path(settings.LOUPE_WEIGHTS_DIR)
    path.mkdir(parents=True, exist_ok=True)
    return path
