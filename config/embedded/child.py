"""A child process that dies with us, logs to its own file and is stopped in its own way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.environment import REPOSITORY

LOG_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Program:
    """What to run and how to end it. `user_id`: run as that user, though still able to reach our files (root only)."""

    name: str
    command: Sequence[str]
    log: Path
    directory: Path = REPOSITORY
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15.0
    death_signal: signal.Signals | None = None  # what the kernel sends if we die first; default the stop signal
    user_id: int | None = None
    group_id: int | None = None
    niceness: int = 0  # how far others come first when processors are scarce, 0 to 19


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start `program` in a session of its own, so that Ctrl-C reaches only the supervisor.

    The kernel sends the death signal when the starting *thread* ends, so that thread must live as long as the child.
    """
    _rotate(program.log)
    with program.log.open("ab") as log:
        process = subprocess.Popen(
            [*_prefix(program), *program.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=program.directory,
            env={**os.environ, **program.environment},
            start_new_session=True,
        )
    if program.niceness:
        _let_others_come_first(process.pid, program.niceness)
    return process


def await_stop(process: subprocess.Popen[bytes], program: Program) -> None:
    """Wait for a child that was asked to stop, then kill it and what is left of its process group."""
    try:
        process.wait(program.stop_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    kill_group(process.pid)


def kill_group(pid: int) -> None:
    """Kill what a dead child left behind in its process group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _prefix(program: Program) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    prefix = [setpriv, "--pdeathsig", (program.death_signal or program.stop_signal).name.removeprefix("SIG")]
    if program.user_id is not None:
        # The new user may enter our directories, whatever their modes: no directory has to be opened to others.
        prefix += [f"--reuid={program.user_id}", f"--regid={program.group_id}", "--clear-groups"]
        prefix += ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
    return [*prefix, "--"]


def _let_others_come_first(pid: int, niceness: int) -> None:
    """Linux weighs sessions against each other before it weighs processes within one, so both are told."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness))


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))
