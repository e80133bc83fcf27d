"""Blender's own virtual environment: made once for each state of `requirements.txt`, never used half-made.

Blender is a separate program (GPL-3, NumPy below 2) that Loupe exchanges files with; nothing here imports it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from foundation.errors import LoupeError, StorageFull, Unavailable
from foundation.files import disk_problems
from foundation.progress import Progress, silent

REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")
# Debian's package of each shared library that bpy is linked with and that a minimal system lacks.
LIBRARIES: Final = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libGL.so.1": "libgl1",
}
# What lies on the disk on the way (wheels and the unpacked environment), for progress only.
_BYTES: Final = 2_500_000_000
_COMPLETE: Final = "complete"


class BlenderMissing(Unavailable):
    """Blender can't be had here, or not yet; the message says what to do."""

    code = "blender_missing"


def installed(folder: Path) -> Path | None:
    """The Python of the environment under `folder`, if it is complete and of today's requirements."""
    place = _place(folder)
    return place / "bin" / "python" if (place / _COMPLETE).is_file() else None


def set_up(folder: Path, progress: Progress = silent) -> Path:
    """Make the environment under `folder`, unless it is there.

    Waits while another process makes it. What came before it, half-made or out of date, is removed.

    Args:
        progress: told of bytes on the disk, of about how many; raising from it stops the installation.

    Returns:
        the environment's Python.

    Raises:
        BlenderMissing: the wrong Python, no wheel for this machine, no network, or missing libraries.
        StorageFull: no room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder, progress):
        if found := installed(folder):
            return found
        _check_python()
        _have_libraries()
        place = _place(folder)
        shutil.rmtree(place, ignore_errors=True)
        try:
            with disk_problems():
                _install(place, progress)
                (place / _COMPLETE).touch()
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        for old in set(folder.glob("env-*")) - {place}:
            shutil.rmtree(old, ignore_errors=True)
        return place / "bin" / "python"


def missing_libraries() -> list[str]:
    """Debian packages of the shared libraries that bpy needs and this system lacks."""
    # In a process of its own: whatever X11's libraries do when they are loaded is none of ours.
    script = (
        "import ctypes, sys\nfor name in sys.argv[1:]:\n    try: ctypes.CDLL(name)\n    except OSError: print(name)"
    )
    run = subprocess.run([sys.executable, "-c", script, *LIBRARIES], capture_output=True, text=True, check=True)
    return [LIBRARIES[name] for name in run.stdout.split()]


def _place(folder: Path) -> Path:
    return folder / f"env-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"


@contextmanager
def _alone(folder: Path, progress: Progress) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress(min(_bytes(folder), _BYTES), _BYTES)
                time.sleep(1)
        yield


def _check_python() -> None:
    if platform.python_implementation() != "CPython" or sys.version_info[:2] != (3, 11):
        raise BlenderMissing(f"Blender's module runs on CPython 3.11 only; this is {platform.python_version()}.")


def _have_libraries() -> None:
    missing = missing_libraries()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        settings = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
            subprocess.run(["apt-get", "-qq", *command], env=settings, capture_output=True, check=False)
        missing = missing_libraries()
    if missing:
        raise BlenderMissing(
            f"Blender needs system libraries that are missing here. As root: apt-get install {' '.join(missing)}"
        )


def _install(place: Path, progress: Progress) -> None:
    subprocess.run([sys.executable, "-m", "venv", place], check=True, capture_output=True)
    downloads, log = place / "downloads", place / "pip.log"
    downloads.mkdir()
    # No cache and a folder for downloads of our own: what a killed installation leaves is removed with the environment.
    options = ["--disable-pip-version-check", "--no-input", "--no-cache-dir", "--only-binary", ":all:"]
    with log.open("w") as out:
        pip = subprocess.Popen(
            [str(place / "bin" / "python"), "-m", "pip", "install", *options, "--requirement", str(REQUIREMENTS)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TMPDIR": str(downloads)},
            start_new_session=True,
        )
        try:
            while pip.poll() is None:
                progress(min(_bytes(place), _BYTES), _BYTES)
                time.sleep(0.5)
        finally:
            if pip.poll() is None:
                os.killpg(pip.pid, signal.SIGKILL)
                pip.wait()
    if pip.returncode:
        raise _problem(log.read_text(errors="replace"))
    shutil.rmtree(downloads, ignore_errors=True)
    progress(_BYTES, _BYTES)


def _problem(log: str) -> LoupeError:
    """What pip said, as one sentence."""
    if "No space left on device" in log or "Disk quota exceeded" in log:
        return StorageFull("The disk is full: Blender's environment needs about 2.5 GB while it is made.")
    if any(sign in log for sign in ("NewConnectionError", "ConnectTimeout", "NameResolution", "ProxyError")):
        return BlenderMissing("The package registry can't be reached; Blender's module could not be downloaded.")
    if "No matching distribution" in log:
        wanted = next((line.split()[-1] for line in log.splitlines() if "No matching distribution" in line), "bpy")
        return BlenderMissing(f"There is no {wanted} for this machine ({platform.system()} {platform.machine()}).")
    last = next((line for line in reversed(log.splitlines()) if line.startswith("ERROR")), "pip failed")
    return BlenderMissing(f"Blender's environment could not be made: {last}")


def _bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:  # pip moves files while we count
            continue
    return total
