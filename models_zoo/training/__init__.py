"""Training: reads a frozen dataset version from disk, writes a release's files, knows no database."""

from __future__ import annotations

from models_zoo.training.config import TrainConfig
from models_zoo.training.train import TrainResult, train
from models_zoo.training.views import Augment

__all__ = ["Augment", "TrainConfig", "TrainResult", "train"]
