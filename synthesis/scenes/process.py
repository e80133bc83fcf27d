"""One worker process: JSON lines over pipes, with limits of time and memory."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

# The worker is started as a module of this folder, so that its own imports find each other and none of ours.
_FOLDER: Final = Path(__file__).parent
_POLL: Final = 0.25
_LONGEST_REPLY: Final = 64 << 20


class Fatal(Exception):
    """The process is of no more use; the text says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker process may take.

    Attributes:
        seconds: for one scene.
        start_seconds: until it is ready.
        memory: bytes of resident memory.
        scenes: until it is replaced by a fresh one.
    """

    seconds: float = 300
    start_seconds: float = 120
    memory: int = 6 << 30
    scenes: int = 200


class Process:
    """A running worker.

    Args:
        command: what to start; two descriptors are appended to it, see `blender.worker`.
        scratch: a folder for its log and Blender's settings.

    Raises:
        Fatal: it didn't become ready.
        OSError: it can't be started.
    """

    def __init__(self, command: Sequence[str], scratch: Path, limits: Limits) -> None:
        self._log = scratch / "log"
        replies, reply_end = os.pipe()
        requests, request_end = os.pipe()
        life_end, self._lifeline = os.pipe()
        self._replies = os.fdopen(replies, "rb", buffering=0)
        self._requests = os.fdopen(request_end, "wb")
        settings = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        try:
            with self._log.open("ab") as log:
                self._child = subprocess.Popen(
                    [*command, str(reply_end), str(life_end)],
                    cwd=_FOLDER,
                    env=settings | {"PYTHONNOUSERSITE": "1", "BLENDER_USER_RESOURCES": str(scratch)},
                    stdin=requests,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=(reply_end, life_end),
                    start_new_session=True,  # Ctrl-C is for us to handle
                )
        except OSError:
            os.close(self._lifeline)
            self._replies.close()
            self._requests.close()
            raise
        finally:
            os.close(reply_end)
            os.close(life_end)
            os.close(requests)
        self._number = 0
        try:
            self._receive(limits.start_seconds, limits.memory)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self._child.pid

    def fit(self, limits: Limits) -> bool:
        """Whether it lives and has memory to spare for another scene."""
        return self._child.poll() is None and self._memory() < limits.memory / 2

    def ask(self, request: dict[str, Any], limits: Limits) -> dict[str, Any]:
        """Send a request and wait for its answer. Raises Fatal."""
        self._number += 1
        line = json.dumps(request | {"number": self._number}).encode() + b"\n"
        os.truncate(self._log, 0)
        try:
            self._requests.write(line)
            self._requests.flush()
        except OSError as error:
            raise Fatal(self._end()) from error
        answer = self._receive(limits.seconds, limits.memory)
        if answer.get("number") != self._number:
            raise Fatal("it answered another question")
        return answer

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._child.kill()
        self._child.wait()
        with contextlib.suppress(OSError):
            self._requests.close()
        self._replies.close()
        with contextlib.suppress(OSError):
            os.close(self._lifeline)

    def _receive(self, seconds: float, memory: int) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        data = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._replies, selectors.EVENT_READ)
            while not data.endswith(b"\n"):
                if time.monotonic() > deadline:
                    raise Fatal(f"it took more than {seconds:.0f} s")
                if self._memory() > memory:
                    raise Fatal(f"it took more than {memory >> 20} MiB of memory")
                if not selector.select(_POLL):
                    continue
                piece = os.read(self._replies.fileno(), 1 << 20)
                if not piece or len(data) > _LONGEST_REPLY:
                    raise Fatal(self._end())
                data += piece
        try:
            answer = json.loads(data)
        except ValueError as error:
            raise Fatal("it answered nonsense") from error
        if not isinstance(answer, dict):
            raise Fatal("it answered nonsense")
        return answer

    def _memory(self) -> int:
        try:
            return int(psutil.Process(self._child.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def _end(self) -> str:
        """How it ended, with the last line that it said."""
        try:
            code = self._child.wait(5)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        lines = self._log.read_text(errors="replace").strip().splitlines()
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        return f"it ended with {how}" + (f" ({lines[-1][:300]})" if lines else "")
