"""Which code and libraries made a sample. With other ones, the same seed may give other pixels."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from synthesis.samples import Generator

_PACKAGES: Final = ("numpy", "opencv-python-headless", "pillow", "pyarrow", "fonttools", "babel", "isal")
# What draws; the rest of the app only moves files.
_DRAWS: Final = ("samples.py", "mixture.py", "effects", "text", "scenes", "writers")


@cache
def generator_facts() -> tuple[str, dict[str, Any]]:
    """SHA-256 over the generators' code and the libraries' versions, and these versions."""
    state = hashlib.sha256()
    root = Path(__file__).parent
    for name in _DRAWS:
        path = root / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                state.update(f"{file.relative_to(root)}\0".encode())
                state.update(hashlib.sha256(file.read_bytes()).digest())
    facts = {"code": state.hexdigest()[:16]} | {name: _version(name) for name in _PACKAGES}
    state.update(repr(sorted(facts.items())).encode())
    return state.hexdigest(), facts


def run_facts(generator: Generator) -> tuple[str, dict[str, Any]]:
    """As `generator_facts`, with the fonts and other things on this machine that the generator draws with.

    Raises:
        LoupeError: some of them are missing.
    """
    digest, facts = generator_facts()
    used = generator.ingredients()
    if used:
        digest = hashlib.sha256(repr([digest, sorted(used.items())]).encode()).hexdigest()
    return digest, facts | used


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
