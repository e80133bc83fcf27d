"""Every format that samples can be written in, by name. Adding one: its writer, its line here, its test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from foundation.errors import InvalidInput
from synthesis.writers.base import Writer

FORMATS: Final[dict[str, str]] = {
    "coco": "synthesis.writers.coco.CocoWriter",
    "bop": "synthesis.writers.bop.BopWriter",
    "faces": "synthesis.writers.faces.FacesWriter",
    "image_folder": "synthesis.writers.image_folder.ImageFolderWriter",
    "text_recognition": "synthesis.writers.text_recognition.TextRecognitionWriter",
    "webdataset": "synthesis.writers.webdataset.WebDatasetWriter",
}
# What the writer of one part of a data set must be told, so that parts fit together.
_OF_PART: Final[dict[str, Callable[[int, Sequence[str]], dict[str, Any]]]] = {
    "image_folder": lambda ordinal, classes: {"class_label": "class"},
    "coco": lambda ordinal, classes: {"classes": classes},
    "bop": lambda ordinal, classes: {"classes": classes, "first_scene": ordinal, "scene_size": 10**9},
    "webdataset": lambda ordinal, classes: {"first_shard": ordinal, "shard_size": 10**9},
}


def writer_class(name: str) -> type[Writer]:
    """Raises InvalidInput: there is no such format."""
    if name not in FORMATS:
        raise InvalidInput(f"No format is called {name!r}; known are {', '.join(FORMATS)}.", code="unknown_format")
    module, _, cls = FORMATS[name].rpartition(".")
    found: type[Writer] = getattr(import_module(module), cls)
    return found


def part_writer(name: str, target: Path, ordinal: int, classes: Sequence[str] = ()) -> Writer:
    """The writer of part `ordinal` of a data set, whose folder and others' are merged afterwards.

    Args:
        classes: see `Generator.classes`.
    """
    told = _OF_PART[name](ordinal, classes) if name in _OF_PART else {}
    return writer_class(name)(target, **told)
