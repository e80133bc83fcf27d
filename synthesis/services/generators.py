"""From what a person asks for to a generator that can draw."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from annotation.models import DatasetVersion
from annotation.queries.datasets import version_by_reference
from foundation.errors import InvalidInput
from synthesis.effects.base import Effect
from synthesis.face_crops import FaceCrops
from synthesis.models import SynthesisRun
from synthesis.recipes import PRESETS, build, preset_node, read_node, with_presets
from synthesis.recipes.settings import with_settings
from synthesis.samples import Generator
from synthesis.services.face_sources import faces_of

LONGEST_RECIPE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """Plain values with all presets written out, and what people call it."""

    title: str
    node: Any


def chosen_recipe(recipe: object, changes: dict[str, Any] | None = None, *, title: str = "") -> Recipe:
    """A recipe by a preset's name, as YAML or as plain values, with some of its settings changed.

    Args:
        changes: {setting: value}, see `recipes.settings`.
        title: of a recipe that is no preset.

    Raises:
        NotFound: no such preset. InvalidInput: no recipe, or no such setting; the message names the key.
    """
    if isinstance(recipe, str) and recipe in PRESETS:
        found = Recipe(recipe, preset_node(recipe))
    elif isinstance(recipe, str) and recipe.replace("_", "").replace("-", "").isalnum():
        return chosen_recipe({"preset": recipe}, changes)  # which says that there is none
    elif isinstance(recipe, str):
        if len(recipe) > LONGEST_RECIPE:
            raise InvalidInput(f"A recipe has at most {LONGEST_RECIPE} characters.", code="bad_recipe")
        found = Recipe(title or "own recipe", read_node(recipe))
    else:
        if len(json.dumps(recipe, default=str)) > LONGEST_RECIPE:
            raise InvalidInput(f"A recipe has at most {LONGEST_RECIPE} characters.", code="bad_recipe")
        found = Recipe(title or "own recipe", with_presets(recipe))
    return Recipe(found.title, with_settings(found.node, changes)) if changes else found


def generator_for(node: Any, source: DatasetVersion | None) -> Generator:
    """The generator that a recipe's plain values describe. Effects change the train faces of `source`.

    Raises:
        InvalidInput: something is wrong with the recipe, it makes no images, or `source_needed`.
    """
    part = build(node)
    if isinstance(part, Effect):
        if source is None:
            raise InvalidInput(
                "This recipe changes faces: name the dataset version whose train faces it shall change.",
                code="source_needed",
            )
        return FaceCrops(part, faces_of(source))
    if not isinstance(part, Generator):
        raise InvalidInput("This recipe makes no images of its own.", code="bad_recipe")
    return part


def source_version(reference: str) -> DatasetVersion | None:
    """The version that faces come from; None for no reference. Raises NotFound, InvalidInput."""
    return version_by_reference(reference) if reference else None


def generator_of(run: SynthesisRun) -> Generator:
    """The generator of a run."""
    return generator_for(run.recipe, run.source)


def formats_of(node: Any) -> tuple[str, tuple[str, ...]]:
    """What a recipe needs ("faces", "blender" or nothing), and what its samples can be written as."""
    part = build(node)
    if isinstance(part, Generator):
        return part.needs(), part.formats()
    return "faces", FaceCrops.FORMATS if isinstance(part, Effect) else ()
