"""Face detectors behind one Protocol. To add one: a file with its class, a spec in `models_zoo.specs`, a line here."""

from models_zoo.detection.base import Detections, Detector
from models_zoo.detection.yunet import Look, YuNet, YuNetConfig

__all__ = ["Detections", "Detector", "Look", "YuNet", "YuNetConfig"]
