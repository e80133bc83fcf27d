"""What a killed supervisor may leave behind: a server that still runs on our data, or a stale process id file."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from config.embedded.layout import ServiceProblem


def end_orphan(pid_file: Path, *, mentions: str, signals: Sequence[signal.Signals], seconds: float = 20.0) -> None:
    """End the process that `pid_file` names if its command line contains `mentions`, then remove the file.

    Only called by the holder of the home's lock, so whoever runs on this data has lost its supervisor. A process
    id that by now belongs to something else is left alone. Raises ServiceProblem if the orphan does not end.
    """
    process = _named_process(pid_file, mentions)
    for number in signals:
        if process is None:
            break
        process.send_signal(number)
        deadline = time.monotonic() + seconds
        while process is not None and time.monotonic() < deadline:
            time.sleep(0.05)
            process = _named_process(pid_file, mentions)
    if process is not None:
        raise ServiceProblem(f"Process {process.pid} still runs on {mentions} and does not end.")
    pid_file.unlink(missing_ok=True)


def _named_process(pid_file: Path, mentions: str) -> psutil.Process | None:
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if process.status() != psutil.STATUS_ZOMBIE and any(mentions in part for part in process.cmdline()):
            return process
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return None
