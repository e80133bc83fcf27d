"""Recipe files and the presets that come along."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from foundation.errors import InvalidInput, NotFound
from synthesis.recipes.building import build
from synthesis.samples import Generator

PRESETS: Final[dict[str, Path]] = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.yaml"))}


def parse_recipe(text: str, where: str = "recipe") -> Any:
    """The part that this YAML describes.

    Raises:
        InvalidInput: it isn't YAML, or not a recipe; the message names the line or the key.
    """
    try:
        node = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidInput(f"{where} is not YAML: {error}", code="bad_recipe") from error
    return build(node, where)


def load_generator(path: Path) -> Generator:
    """The generator that a recipe file describes.

    Raises:
        NotFound: no such file.
        InvalidInput: it describes no generator.
    """
    if not path.is_file():
        raise NotFound(f"There is no recipe {path}.", code="unknown_recipe")
    part = parse_recipe(path.read_text(encoding="utf-8"), path.stem)
    if not isinstance(part, Generator):
        raise InvalidInput(f"{path.name} makes an effect, no images of its own.", code="bad_recipe")
    return part


def load_preset(name: str) -> Generator:
    """One of `PRESETS`.

    Raises:
        NotFound: there is none; the message lists those that exist.
    """
    if name not in PRESETS:
        raise NotFound(f"No preset is called {name!r}; known are {', '.join(PRESETS)}.", code="unknown_recipe")
    return load_generator(PRESETS[name])
