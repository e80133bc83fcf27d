"""Talks to Blender's process: a crash, a hang or a kill costs one scene, which is made again in a fresh process."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from foundation.errors import LoupeError, StorageFull, Unavailable
from foundation.files import disk_problems
from synthesis.scenes.process import Fatal, Limits, Process

Spec = dict[str, Any]
T = TypeVar("T")
_TRIES: Final = 3
_WORKER: Final = ("-m", "blender.worker")
_PREFIX: Final = "loupe-blender-"
_LEAST_FREE: Final = 64 << 20
_STALE_SECONDS: Final = 24 * 3600


class SceneFailed(LoupeError):
    """A scene can't be rendered, however often it is tried; others can."""

    code = "scene_failed"
    status = 500


class BlenderBroken(Unavailable):
    """Blender's process doesn't even start."""

    code = "blender_broken"


class Driver:
    """Renders specs in a process of its own, one at a time, from any thread. Used as a context manager, or closed.

    Args:
        python: the interpreter that has bpy, see `environment.set_up`.
        textures: the folder that specs' texture names are relative to.
        limits: time and memory that one scene may take, and scenes that one process may render.
        worker: the interpreter's arguments that start the worker.
    """

    def __init__(
        self,
        python: Path,
        *,
        textures: Path,
        device: str = "cpu",
        threads: int = 2,
        limits: Limits | None = None,
        worker: Sequence[str] = _WORKER,
    ) -> None:
        self._command = [str(python.absolute()), *worker]
        self._common = {"textures": str(textures.absolute()), "device": device, "threads": threads}
        self.textures = textures
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._rendered = 0
        _sweep()
        self._scratch = Path(tempfile.mkdtemp(prefix=_PREFIX))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process and remove its files."""
        with self._lock:
            self._stop()
            shutil.rmtree(self._scratch, ignore_errors=True)

    def render(self, spec: Spec, read: Callable[[dict[str, Any], Path], T]) -> T:
        """Render a scene.

        Args:
            spec: `kind`, `seed`, `render` (`width`, `height`, `samples`) and what the kind needs.
            read: called with the worker's answer and the folder of its files, which are removed afterwards.

        Returns:
            what `read` returned.

        Raises:
            SceneFailed: the scene can't be built, or three processes in a row came to grief over it.
            BlenderBroken: the process doesn't start. StorageFull: no room for the files.
        """
        with disk_problems():
            self._scratch.mkdir(exist_ok=True)
            out = Path(tempfile.mkdtemp(dir=self._scratch))
            try:
                with self._lock:
                    answer = self._ask({"command": "render", "spec": spec, "out": str(out)})
                return read(answer, out)  # while Blender renders another thread's scene
            finally:
                shutil.rmtree(out, ignore_errors=True)

    def rays(self, spec: Spec, pixels: Sequence[tuple[int, int]]) -> list[int]:
        """What the pixels (x, y) see by Blender's ray casting: instance ids, 0 for none. Errors as `render`."""
        with self._lock:
            seen: list[int] = self._ask({"command": "rays", "spec": spec, "pixels": list(pixels)})["seen"]
            return seen

    @property
    def pid(self) -> int | None:
        """The worker's process id, if one runs."""
        return self._process.pid if self._process else None

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        what = ""
        for _ in range(_TRIES):
            process = self._running()
            self._rendered += 1
            try:
                answer = process.ask(self._common | request, self._limits)
            except Fatal as trouble:
                what = str(trouble)
                self._stop()
                continue
            except BaseException:  # an interrupted exchange leaves the process out of step
                self._stop()
                raise
            if "problem" in answer:
                self._stop()
                if shutil.disk_usage(self._scratch).free < _LEAST_FREE:
                    raise StorageFull("The disk is full; the scene could not be rendered.")
                raise SceneFailed(
                    f"The scene can't be rendered: {answer['problem']}.", facts={"trace": answer["trace"]}
                )
            return answer
        raise SceneFailed(f"The scene can't be rendered, {_TRIES} processes in a row: {what}.")

    def _running(self) -> Process:
        if self._process and (self._rendered >= self._limits.scenes or not self._process.fit(self._limits)):
            self._stop()
        if self._process is None:
            self._rendered = 0
            self._scratch.mkdir(exist_ok=True)
            try:
                self._process = Process(self._command, self._scratch, self._limits)
            except (Fatal, OSError) as trouble:
                raise BlenderBroken(f"Blender doesn't start: {trouble}.") from trouble
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None


def _sweep() -> None:
    """Remove what drivers of killed processes left more than a day ago."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_mtime < time.time() - _STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
