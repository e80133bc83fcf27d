"""Everything that a training run can be told, in one frozen value that is stored with its release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from foundation.errors import InvalidInput

PRECISIONS = ("auto", "bf16", "float32")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Defaults are for a fine-tuning of SFace on some hundred to some ten thousand faces.

    Attributes:
        seed: decides order, views and head; the same seed on the same machine gives the same weights.
        epochs, batch_size: faces are seen once per epoch; the last batch of an epoch may be smaller.
        learning_rate: peak for the network (AdamW), reached after `warmup` (share of all steps), then a cosine to 0.
        head_rate: the ArcFace head's learning rate over the network's.
        weight_decay: AdamW's.
        clip_norm: largest norm of the network's gradient.
        frozen_units: so many of SFace's 27 convolution units, from the input on, stay as they are.
        min_faces: people with fewer faces don't go to the ArcFace head; their faces only distil.
        arcface: weight of the margin loss, with `margin` in radians and `scale`.
        alike: people whose mean start embeddings have at least this cosine similarity may be one person whom the
            clustering split; the margin loss doesn't push them apart, unless a person told both.
        distillation: weight of the distance to the start model's embedding of the clean view.
        extra_share: at most this share of an epoch's faces are of train_extra (outside or synthetic); where there are
            more, each epoch draws others of them.
        extra_weight: what a face of train_extra counts in the losses, beside its own weight in the manifest.
        plain: share of views that are not augmented; they hold the network to the start model on good faces.
        start_share: the released weights are this share of the start weights and the rest of the trained ones
            (Wortsman et al., Robust fine-tuning, CVPR 2022).
        precision: bf16 is autocast; auto takes it where the device computes it natively.
        checkpoint_steps: a killed run goes on from the last multiple of this.
        workers: threads that read and augment.
    """

    seed: int = 0
    epochs: int = 6
    batch_size: int = 32
    learning_rate: float = 2e-5
    warmup: float = 0.1
    head_rate: float = 10.0
    weight_decay: float = 1e-4
    clip_norm: float = 5.0
    frozen_units: int = 9
    min_faces: int = 2
    arcface: float = 0.2
    margin: float = 0.5
    scale: float = 32.0
    alike: float = 0.35
    distillation: float = 1.0
    extra_share: float = 0.5
    extra_weight: float = 0.5
    plain: float = 0.35
    start_share: float = 0.0
    precision: str = "auto"
    checkpoint_steps: int = 50
    workers: int = 2

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "min_faces", "checkpoint_steps", "workers"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1.", code="bad_train_config")
        for name in ("plain", "start_share", "warmup", "extra_share", "extra_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidInput(f"{name} must be from 0 to 1.", code="bad_train_config")
        for name in ("learning_rate", "clip_norm", "scale"):
            if not getattr(self, name) > 0:
                raise InvalidInput(f"{name} must be above 0.", code="bad_train_config")
        if self.precision not in PRECISIONS:
            raise InvalidInput(f"precision is one of {', '.join(PRECISIONS)}.", code="bad_train_config")

    @classmethod
    def from_dict(cls, overrides: Mapping[str, Any]) -> TrainConfig:
        """The defaults with some of them replaced.

        Raises:
            InvalidInput: an unknown name, or a value of another type or out of its range.
        """
        kinds: dict[str, Any] = {field.name: type(field.default) for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in overrides.items():
            if name not in kinds:
                raise InvalidInput(
                    f"Training has no setting {name!r}; it has {', '.join(kinds)}.", code="bad_train_config"
                )
            kind = kinds[name]
            if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
                raise InvalidInput(f"{name} must be of type {kind.__name__}.", code="bad_train_config")
            values[name] = kind(value)
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
