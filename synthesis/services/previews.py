"""A few samples to look at, within bounds of time and size."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any, Final

from foundation.errors import LoupeError
from synthesis.drawing import draw_labels
from synthesis.samples import Generator, Sample
from synthesis.services.trying import try_sample
from synthesis.writers.base import encode_png, plain_json

SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample ready for a page, or the reason why there is none."""

    index: int
    seed: int
    image: str = ""
    width: int = 0
    height: int = 0
    labels: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    attempt: int = 0
    code: str = ""
    reason: str = ""


def preview(generator: Generator, *, seed: int, first: int, count: int, draw: bool) -> list[Shown]:
    """Samples `first` to `first + count - 1`; those that `SECONDS` don't suffice for say so.

    Raises:
        LoupeError: what is no item's fault and may pass.
    """
    begin = time.monotonic()
    shown = []
    for index in range(first, first + count):
        if time.monotonic() - begin > SECONDS:
            shown.append(Shown(index, seed, code="no_time", reason="There was no time left to make this one."))
            continue
        try:
            shown.append(show(try_sample(generator, seed, index), draw=draw))
        except LoupeError as error:
            if not error.permanent:
                raise
            shown.append(Shown(index, seed, code=error.code, reason=error.message))
    return shown


def show(sample: Sample, *, draw: bool) -> Shown:
    """A sample as JSON can hold it."""
    height, width = sample.image.shape[:2]
    image = draw_labels(sample.image, sample.labels) if draw else sample.image
    return Shown(
        index=sample.index,
        seed=sample.seed,
        image=base64.b64encode(encode_png(image)).decode(),
        width=width,
        height=height,
        labels=json.loads(plain_json({name: brief(value) for name, value in sample.labels.items()})),
        params=json.loads(plain_json(sample.params)),
        attempt=sample.attempt,
    )


def brief(value: Any) -> Any:
    """Masks, depth and other pictures by their shape; everything else as it is."""
    if getattr(value, "ndim", 0) >= 2 and value.size > 4096:
        return f"array {'x'.join(map(str, value.shape))} {value.dtype}"
    if isinstance(value, dict):
        return {name: brief(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [brief(inner) for inner in value]
    return value
