"""Decoding in killable worker processes: a file that hangs or crashes its decoder costs that file and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from annotation.imaging import wire
from annotation.imaging.decode import MAX_BYTES, MAX_PIXELS, Decoded, check_header
from annotation.imaging.refusal import ImageRefused
from foundation.errors import Unavailable

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
_PIPE_BYTES = 1 << 20
T = TypeVar("T")


class DecoderUnavailable(Unavailable):
    """No decoding process could be started (no memory, no processes left); no file is to blame."""

    code = "decoder_unavailable"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost.

    Attributes:
        bytes, pixels: of the file, and of the picture as it declares itself.
        seconds: of processor time.
        patience: as many times `seconds` may pass by the clock, for the machine may be busy with other things.
        megabytes: private memory of a worker, MiB.
    """

    bytes: int = MAX_BYTES
    pixels: int = MAX_PIXELS
    seconds: int = 20
    patience: float = 4.0
    megabytes: int = 3072


@dataclass(frozen=True, slots=True)
class Hashed:
    """A decoded image and its near-duplicate hash."""

    decoded: Decoded
    dhash: int


class DecoderPool:
    """`workers` processes, each started on first use and replaced after a hang or crash. Thread-safe.

    Close it, or use it as a context manager. If this process is killed, the workers end by themselves.
    """

    def __init__(self, *, workers: int = 2, limits: Limits | None = None) -> None:
        self.workers = workers
        self.limits = limits or Limits()
        self._idle: queue.SimpleQueue[_Worker | None] = queue.SimpleQueue()
        for _ in range(workers):
            self._idle.put(None)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="decoder")

    def decode(self, data: bytes, *, name: str = "", max_side: int = 0) -> Future[Hashed]:
        """Decode and hash one file; see `annotation.imaging.decode.decode`. The future raises ImageRefused."""
        request = {"operation": "decode", "name": name, "max_side": max_side, **self._bounds()}
        return self._submit(request, data, _hashed)

    def crop(self, data: bytes, landmarks: NDArray[np.float64], *, max_side: int = 0) -> Future[NDArray[np.uint8]]:
        """Cut aligned crops out of a file decoded at up to `max_side` pixels (0: full size).

        Args:
            landmarks: (k, 5, 2), pixels of the whole upright image.

        Returns:
            Future of (k, 112, 112, 3) uint8; raises ImageRefused.
        """
        points = np.asarray(landmarks, dtype=np.float64).round(4).tolist()
        request = {"operation": "crop", "landmarks": points, "max_side": max_side, **self._bounds()}
        return self._submit(request, data, _array)

    def close(self) -> None:
        """End the workers; requests under way are finished first."""
        self._threads.shutdown(wait=True)
        with contextlib.suppress(queue.Empty):
            while True:
                worker = self._idle.get_nowait()
                if worker is not None:
                    worker.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bounds(self) -> dict[str, int]:
        return {"max_bytes": self.limits.bytes, "max_pixels": self.limits.pixels}

    def _submit(
        self, request: dict[str, Any], data: bytes, read: Callable[[dict[str, Any], bytearray], T]
    ) -> Future[T]:
        try:
            check_header(data, max_bytes=self.limits.bytes)
        except ImageRefused as refusal:
            refused: Future[T] = Future()
            refused.set_exception(refusal)
            return refused
        return self._threads.submit(lambda: read(*self._ask(request, data)))

    def _ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytearray]:
        worker = self._idle.get()
        try:
            if worker is None:
                worker = _Worker(self.limits)
            answer, payload = worker.ask(request, data)
        except (wire.PeerGone, wire.PeerSilent) as failure:
            silent = isinstance(failure, wire.PeerSilent) or (worker is not None and worker.ran_out_of_time())
            raise ImageRefused("decode_timeout" if silent else "decode_crashed") from failure
        finally:
            self._idle.put(worker if worker is not None and worker.alive else None)
        if "code" in answer:
            raise ImageRefused(answer["code"], answer["message"])
        return answer, payload


class _Worker:
    """One worker process and its two pipes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        command = [sys.executable, "-m", "annotation.imaging.decode_worker", str(limits.seconds), str(limits.megabytes)]
        # Nothing of our environment: it may hold passwords, and these processes read files from strangers.
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": str(_ROOT),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd="/"
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101 - PIPE was asked for
        self._requests, self._answers = self._process.stdin.fileno(), self._process.stdout.fileno()
        for descriptor in (self._requests, self._answers):
            os.set_blocking(descriptor, False)
            with contextlib.suppress(OSError):  # a user's allowance of pipe memory may be used up
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self.alive = True
        try:
            wire.receive(self._answers, deadline=time.monotonic() + _START_SECONDS)
        except (wire.PeerGone, wire.PeerSilent) as failure:
            self.kill()
            raise DecoderUnavailable("A decoding process could not be started.") from failure

    def ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytearray]:
        deadline = time.monotonic() + self._limits.seconds * self._limits.patience
        try:
            wire.send(self._requests, request, data, deadline=deadline)
            return wire.receive(self._answers, deadline=deadline)
        except BaseException:
            self.kill()
            raise

    def ran_out_of_time(self) -> bool:
        """Whether the processor time limit ended it."""
        return self._process.returncode == -24  # SIGXCPU

    def kill(self) -> None:
        self.alive = False
        self._process.kill()
        self._process.communicate()


def _hashed(header: dict[str, Any], payload: bytearray) -> Hashed:
    taken_at = header["taken_at"]
    decoded = Decoded(
        image=_array(header, payload),
        width=header["width"],
        height=header["height"],
        orientation=header["orientation"],
        taken_at=datetime.fromisoformat(taken_at) if taken_at else None,
        mime=header["mime"],
        notes=tuple(header["notes"]),
    )
    return Hashed(decoded, header["dhash"])


def _array(header: dict[str, Any], payload: bytearray) -> NDArray[np.uint8]:
    return np.frombuffer(payload, np.uint8).reshape(header["shape"])
