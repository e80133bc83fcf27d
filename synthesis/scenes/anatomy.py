"""The body model Anny, loaded once: shape and posture in, vertices and bones out."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from synthesis.scenes.bodies import check_people
from synthesis.scenes.people import Person

_lock = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """What all bodies share.

    Attributes:
        model: Anny, on the CPU.
        faces: int32 (m, 3). bones: the names.
        owner: int64 (n,), the bone that moves each vertex most.
    """

    model: Any
    faces: NDArray[np.int32]
    bones: tuple[str, ...]
    owner: NDArray[np.int64]

    def of(self, *starts: str) -> NDArray[np.bool_]:
        """(n,) which vertices belong to bones whose names start so."""
        return np.array([bone.startswith(starts) for bone in self.bones])[self.owner]


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One person's body, metres, standing on z = 0, looking along -y.

    Attributes:
        vertices: (n, 3) as posed. rest: (n, 3) with arms aslant, for telling what is where.
        bones: where each bone starts in `rest`.
    """

    vertices: NDArray[np.float64]
    rest: NDArray[np.float64]
    bones: dict[str, NDArray[np.float64]]


@lru_cache(maxsize=1)
def anatomy() -> Anatomy:
    """Raises PeopleMissing."""
    check_people()
    model = import_module("anny").Anny(phenotypes="all").to(dtype=torch.float32)
    owner = model.vertex_bone_indices.gather(1, model.vertex_bone_weights.argmax(1, keepdim=True))[:, 0]
    return Anatomy(model, model.faces.numpy().astype(np.int32), tuple(model.bone_labels), owner.numpy())


def body(person: Person) -> Body:
    """The body of a person. Raises as `anatomy`."""
    with _lock:
        shared = anatomy()
    pose = {bone: torch.tensor(_turned(angles), dtype=torch.float32)[None] for bone, angles in person["pose"].items()}
    with torch.inference_mode():
        made = shared.model(phenotype_kwargs=person["shape"], pose_parameters=pose)
    vertices = made["vertices"][0].double().numpy()
    rest = made["rest_vertices"][0].double().numpy()
    heads = made["rest_bone_poses"][0, :, :3, 3].double().numpy()
    vertices = vertices - [*vertices[shared.of("foot", "toe")].mean(axis=0)[:2], vertices[:, 2].min()]
    return Body(vertices, rest, dict(zip(shared.bones, heads, strict=True)))


def _turned(degrees: list[float]) -> NDArray[np.float64]:
    """4 x 4, about x, then y, then z."""
    matrix = np.eye(4)
    for axis, angle in enumerate(degrees):
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        one, other = [(1, 2), (2, 0), (0, 1)][axis]
        turn = np.eye(4)
        turn[one, one] = turn[other, other] = cos
        turn[one, other], turn[other, one] = -sin, sin
        matrix = turn @ matrix
    return matrix
