"""Recipe files and the presets that come along."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from foundation.errors import InvalidInput, NotFound
from synthesis.recipes.building import build
from synthesis.samples import Generator

PRESETS: Final[dict[str, Path]] = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.yaml"))}


class _NoAliases(yaml.SafeLoader):
    """A few lines with aliases of aliases can stand for more values than there is memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


def parse_recipe(text: str, where: str = "recipe") -> Any:
    """The part that this YAML describes.

    Raises:
        InvalidInput: it isn't YAML, or not a recipe; the message names the line or the key.
    """
    return build(read_node(text, where), where)


def read_node(text: str, where: str = "recipe") -> Any:
    """The plain values of a YAML recipe; `preset: NAME` stands for what that preset holds.

    Raises:
        InvalidInput: it isn't YAML. NotFound: no such preset.
    """
    try:
        node = yaml.load(text, _NoAliases)  # noqa: S506 a SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInput(f"{where} is not YAML: {error}", code="bad_recipe") from error
    return with_presets(node)


def with_presets(node: Any) -> Any:
    """The same values with every `preset: NAME` replaced by what it stands for."""
    if isinstance(node, list):
        return [with_presets(item) for item in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"preset"}:
        return preset_node(str(node["preset"]))
    return {key: with_presets(value) for key, value in node.items()}


def preset_node(name: str) -> Any:
    """The plain values of one of `PRESETS`.

    Raises:
        NotFound: there is none; the message lists those that exist.
    """
    if name not in PRESETS:
        raise NotFound(f"No preset is called {name!r}; known are {', '.join(PRESETS)}.", code="unknown_recipe")
    return read_node(PRESETS[name].read_text(encoding="utf-8"), name)


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
