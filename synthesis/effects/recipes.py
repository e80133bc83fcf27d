"""Ready-made combinations: how photos are spoilt for a demo, and how crops are varied for training."""

from __future__ import annotations

from typing import Final

from numpy.random import Generator

from models_zoo.alignment import TEMPLATE
from synthesis.effects.bar import Bar
from synthesis.effects.base import Effect, Image, Landmarks
from synthesis.effects.brightness_contrast import BrightnessContrast
from synthesis.effects.colour_cast import ColourCast
from synthesis.effects.combinators import Compose, OneOf, Probably, SomeOf
from synthesis.effects.defocus_blur import DefocusBlur
from synthesis.effects.jpeg import Jpeg
from synthesis.effects.low_resolution import LowResolution
from synthesis.effects.mask import Mask
from synthesis.effects.misalignment import Misalignment
from synthesis.effects.motion_blur import MotionBlur
from synthesis.effects.noise import Noise
from synthesis.effects.sunglasses import Sunglasses

# What a cheap camera far away makes of a face: out of focus or shaken, few pixels, noise and compression on those few.
# On LFW the published SFace finds 80 % of the pairs of a degraded and a clean photo at a false-accept rate of 1e-3.
DEGRADE: Final[Effect] = Compose(
    (
        OneOf((MotionBlur((0.03, 0.12)), DefocusBlur((0.01, 0.04)))),
        LowResolution((14.0, 25.0), inside=Compose((Noise((1.0, 4.0), (0.0, 6.0)), Jpeg((75.0, 95.0))))),
    )
)

_LIGHT: Final[Effect] = SomeOf(
    (BrightnessContrast((-25.0, 25.0), (0.8, 1.2), (-0.3, 0.3)), ColourCast((0.9, 1.1), (0.5, 1.1))), 0, 2
)

# The same photo taken again: other framing and light, a somewhat worse or much worse camera. Photos or crops.
RESHOOT: Final[Effect] = Compose(
    (
        Misalignment((-0.05, 0.05), (-8.0, 8.0), (-0.15, 0.3)),
        _LIGHT,
        Probably(0.5, OneOf((MotionBlur((0.01, 0.04)), DefocusBlur((0.005, 0.015))))),
        Probably(0.5, LowResolution((30.0, 80.0))),
        Noise((0.0, 4.0), (0.0, 6.0)),
        Jpeg((50.0, 95.0)),
    )
)

# Wider than DEGRADE on every side, so that a network doesn't learn one camera by heart.
TRAINING_AUGMENTATION: Final[Effect] = Compose(
    (
        Misalignment((-0.02, 0.02), (-3.0, 3.0), (-0.05, 0.05)),
        _LIGHT,
        Probably(0.05, OneOf((Mask(), Sunglasses(), Bar()))),
        Probably(0.7, OneOf((MotionBlur((0.02, 0.15)), DefocusBlur((0.01, 0.05))))),
        Probably(
            0.9,
            LowResolution((12.0, 40.0), Compose((Noise((0.0, 6.0), (0.0, 8.0)), Probably(0.7, Jpeg((50.0, 95.0)))))),
        ),
    )
)

RECIPES: Final[dict[str, Effect]] = {
    "degrade": DEGRADE,
    "reshoot": RESHOOT,
    "training_augmentation": TRAINING_AUGMENTATION,
}


def degrade(image: Image, rng: Generator, landmarks: Landmarks | None = None) -> Image:
    """A photo as a bad camera would have taken it, of the same size: faces of 100 pixels come down to 14 to 25.

    Args:
        image: uint8 RGB (h, w, 3).
        landmarks: (5, 2) of its face; where given, the strength follows the face's true height.
    """
    return DEGRADE(image, rng, landmarks)


def reshoot(image: Image, rng: Generator) -> Image:
    """A photo taken again, a little differently: uint8 RGB (h, w, 3), same size."""
    return RESHOOT(image, rng)


def reshoot_crop(crop: Image, rng: Generator) -> Image:
    """An aligned crop, uint8 RGB (112, 112, 3), as a bad camera would have given it."""
    return DEGRADE(crop, rng, TEMPLATE)


def training_augment(crop: Image, rng: Generator) -> Image:
    """A random view of an aligned crop, uint8 RGB (112, 112, 3), for training."""
    return TRAINING_AUGMENTATION(crop, rng, TEMPLATE)
