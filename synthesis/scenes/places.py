"""Where Blender's things lie and what it computes with, as the application around us says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """`folder` holds environments (see `environment`) and textures; `device` is `cpu` or `cuda`."""

    folder: Path = Path("var/blender")
    device: str = "cpu"

    def textures(self) -> Path:
        """The folder of texture pictures that specs name; made when first asked for."""
        place = self.folder / "textures"
        place.mkdir(parents=True, exist_ok=True)
        return place


_places = Places()


def configure(places: Places) -> None:
    """Use these from now on."""
    global _places
    _places = places


def places() -> Places:
    """Those in use."""
    return _places
