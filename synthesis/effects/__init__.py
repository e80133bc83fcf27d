"""Effects on face images. Parameters are drawn apart from being applied: every image can be made again and explained.

`registry.py` lists the effects, `recipes.py` the ready-made combinations, `seeds.py` gives each item its own seed.
"""

from __future__ import annotations

from synthesis.effects.base import Effect, Image, Landmarks, Params
from synthesis.effects.recipes import RECIPES, degrade, reshoot, reshoot_crop, training_augment
from synthesis.effects.registry import EFFECTS, make_effect
from synthesis.effects.seeds import digest_rng, item_rng

__all__ = [
    "EFFECTS",
    "RECIPES",
    "Effect",
    "Image",
    "Landmarks",
    "Params",
    "degrade",
    "digest_rng",
    "item_rng",
    "make_effect",
    "reshoot",
    "reshoot_crop",
    "training_augment",
]
