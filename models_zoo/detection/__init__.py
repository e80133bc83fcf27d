"""Face detectors behind one Protocol. To add one: a file with its class, a spec in `models_zoo.specs`, a line here."""

from __future__ import annotations

from pathlib import Path

from models_zoo.detection.base import Detections, Detector
from models_zoo.detection.yunet import Look, YuNet, YuNetConfig

__all__ = ["Detections", "Detector", "Look", "YuNet", "YuNetConfig", "open_detector"]


def open_detector(path: Path, *, threads: int | None = None) -> Detector:
    """Open the weights of a detector release. Raises InvalidInput if they are of no detector we know."""
    return YuNet(path, threads=threads)
