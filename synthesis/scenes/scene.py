"""What all generators of Blender scenes share, and the process's one driver."""

from __future__ import annotations

import atexit
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from synthesis.bounds import Within
from synthesis.effects.base import Image, Params
from synthesis.samples import Generator, Labels
from synthesis.scenes import truth
from synthesis.scenes.driver import Driver
from synthesis.scenes.environment import BlenderMissing, installed
from synthesis.scenes.places import places

_lock = threading.Lock()
_driver: tuple[int, Path, Driver] | None = None


@dataclass(frozen=True, slots=True)
class Scene(Generator):
    """A generator of scenes: `sample` draws the whole spec (see `blender.worker`), the driver renders it.

    Labels are described in `truth`.

    Attributes:
        width, height: of the image in pixels.
        samples: rays through each pixel, before denoising.
    """

    width: Annotated[int, Within(16, 8192)] = 640
    height: Annotated[int, Within(16, 8192)] = 480
    samples: Annotated[int, Within(1, 65536)] = 8

    def settings(self) -> dict[str, int]:
        """The spec's `render`."""
        return {"width": self.width, "height": self.height, "samples": self.samples}

    def prepare(self, params: Params, folder: Path) -> Params:
        """The spec as the worker gets it. Scenes that need texture pictures see to it that they lie in `folder`."""
        return params

    def render(self, params: Params) -> tuple[Image, Labels]:
        return driver().render(self.prepare(params, places().textures()), truth.read)

    def formats(self) -> tuple[str, ...]:
        return ("coco", "bop", "webdataset")

    def needs(self) -> str:
        return "blender"

    def shard_size(self) -> int:
        return 10


def driver() -> Driver:
    """This process's driver, which starts Blender with the first scene.

    Raises:
        BlenderMissing: the environment isn't there.
    """
    global _driver
    with _lock:
        here = places()
        python = installed(here.folder)
        if python is None:
            raise BlenderMissing("Blender isn't set up here: run 'make blender', or ask for it on the synthesis page.")
        # A forked process starts one of its own, and a new environment needs a new one.
        if _driver is None or _driver[:2] != (os.getpid(), python):
            close()
            _driver = os.getpid(), python, Driver(python, textures=here.textures(), device=here.device)
        return _driver[2]


@atexit.register
def close() -> None:
    """End this process's Blender, if there is one."""
    global _driver
    if _driver is not None and _driver[0] == os.getpid():
        _driver[2].close()
    _driver = None
