"""Recipes: YAML whose keys are constructors' arguments. The presets lie beside this file.

A part is a mapping with one key, its name in `registry.PARTS`, whose value holds the arguments:
`noise: {read: [1, 4]}`. Ranges are `[low, high]`. Combinators are parts like any other: `one_of: {effects: [...]}`.
"""

from __future__ import annotations

from synthesis.recipes.building import build
from synthesis.recipes.files import (
    PRESETS,
    load_generator,
    load_preset,
    parse_recipe,
    preset_node,
    read_node,
    with_presets,
)
from synthesis.recipes.registry import PARTS
from synthesis.recipes.writing import as_yaml

__all__ = [
    "PARTS",
    "PRESETS",
    "as_yaml",
    "build",
    "load_generator",
    "load_preset",
    "parse_recipe",
    "preset_node",
    "read_node",
    "with_presets",
]
