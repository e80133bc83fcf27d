"""Messages are hints: a broker that is gone keeps nobody waiting."""

from __future__ import annotations

from pathlib import Path

import pytest
from celery import Celery
from kombu.utils import functional

from config.celery import app
from jobs import messages


def test_a_lost_broker_takes_no_message_and_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    lost = Celery("lost", broker=f"redis+socket://{tmp_path}/nobody-listens.sock", set_as_current=False)
    lost.conf.broker_transport_options = app.conf.broker_transport_options
    monkeypatch.setattr(functional, "sleep", waits.append)
    monkeypatch.setattr(messages, "current_app", lost)
    assert messages.send(1, "default") is False
    assert waits == []
