"""How a line of text is bent, with points that go along.

Coordinates are float (n, 2), x to the right and y down, the origin in the middle of the text block, one unit a line's
height. `forward` takes a point of the flat text to where it lands; `backward` is its inverse, from which pixels are
filled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.random import Generator as Rng
from numpy.typing import NDArray

from synthesis.bounds import NotEmpty, Share, Within
from synthesis.effects.base import Params, Range, between

Points = NDArray[np.float64]
Size = tuple[float, float]  # of the flat block: width, height


class Warp(ABC):
    """One bend. Subclasses are frozen dataclasses whose fields are the ranges to draw from.

    `slight` ones hardly change how much room the text takes.
    """

    slight: ClassVar[bool] = False

    @abstractmethod
    def sample(self, rng: Rng) -> Params:
        """Draw parameters."""

    @abstractmethod
    def forward(self, points: Points, params: Params, size: Size) -> Points:
        """Where points of the flat text land."""

    @abstractmethod
    def backward(self, points: Points, params: Params, size: Size) -> Points:
        """Which points of the flat text land there."""

    def acting(self, params: Params) -> list[tuple[Warp, Params]]:
        """The plain warps that these parameters stand for: combinators unpack themselves."""
        return [(self, params)]


class Projective(Warp):
    """A warp that is one 3x3 matrix."""

    @abstractmethod
    def matrix(self, params: Params, size: Size) -> NDArray[np.float64]:
        """From flat to bent, homogeneous (3, 3)."""

    def forward(self, points: Points, params: Params, size: Size) -> Points:
        return _homogeneous(points, self.matrix(params, size))

    def backward(self, points: Points, params: Params, size: Size) -> Points:
        inverse: NDArray[np.float64] = np.linalg.inv(self.matrix(params, size)).astype(np.float64)
        return _homogeneous(points, inverse)


def _homogeneous(points: Points, matrix: NDArray[np.float64]) -> Points:
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    flat: Points = moved[:, :2] / moved[:, 2:]
    return flat


@dataclass(frozen=True, slots=True)
class Joined(Projective):
    """Several projective warps as one. Draws nothing; no recipe names it."""

    joined: NDArray[np.float64]

    def sample(self, rng: Rng) -> Params:
        return {}

    def matrix(self, params: Params, size: Size) -> NDArray[np.float64]:
        return self.joined


def join(steps: Iterable[tuple[Warp, Params]], size: Size) -> list[tuple[Warp, Params]]:
    """The same bend in as few steps as it takes."""
    fewer: list[tuple[Warp, Params]] = []
    for warp, params in steps:
        before = fewer[-1] if fewer else None
        if isinstance(warp, Projective) and before is not None and isinstance(before[0], Projective):
            fewer[-1] = Joined(warp.matrix(params, size) @ before[0].matrix(before[1], size)), {}
        else:
            fewer.append((warp, params))
    return fewer


@dataclass(frozen=True, slots=True)
class Rotation(Projective):
    """Turns and slants.

    Attributes:
        degrees: clockwise.
        shear: how far x moves per unit of y.
    """

    degrees: Annotated[Range, Within(-180, 180)] = (-5.0, 5.0)
    shear: Annotated[Range, Within(-2, 2)] = (0.0, 0.0)

    def sample(self, rng: Rng) -> Params:
        return {"degrees": between(rng, self.degrees), "shear": between(rng, self.shear)}

    def matrix(self, params: Params, size: Size) -> NDArray[np.float64]:
        turn = np.deg2rad(params["degrees"])
        cos, sin = np.cos(turn), np.sin(turn)
        shear = params["shear"]
        rotated: NDArray[np.float64] = np.array(
            [[cos, cos * shear - sin, 0.0], [sin, sin * shear + cos, 0.0], [0.0, 0.0, 1.0]]
        )
        return rotated


@dataclass(frozen=True, slots=True)
class Perspective(Projective):
    """The text lies on a plane turned away from the camera.

    Attributes:
        yaw: relative difference in size between the left and the right end, signed.
        pitch: the same between top and bottom.
    """

    yaw: Annotated[Range, Within(-0.8, 0.8)] = (-0.3, 0.3)
    pitch: Annotated[Range, Within(-0.8, 0.8)] = (-0.1, 0.1)

    def sample(self, rng: Rng) -> Params:
        return {"yaw": between(rng, self.yaw), "pitch": between(rng, self.pitch)}

    def matrix(self, params: Params, size: Size) -> NDArray[np.float64]:
        matrix = np.eye(3)
        matrix[2, 0] = params["yaw"] / max(size[0], 1e-6)
        matrix[2, 1] = params["pitch"] / max(size[1], 1e-6)
        return matrix


@dataclass(frozen=True, slots=True)
class Arc(Warp):
    """Along a circle. Attributes: degrees, of circle from end to end; positive arches up. Never tighter than 1.2
    block heights of radius."""

    degrees: Annotated[Range, Within(-360, 360)] = (-60.0, 60.0)

    def sample(self, rng: Rng) -> Params:
        return {"degrees": between(rng, self.degrees)}

    def forward(self, points: Points, params: Params, size: Size) -> Points:
        radius = _radius(params, size)
        angle, distance = points[:, 0] / radius, radius - points[:, 1]
        return np.stack([distance * np.sin(angle), radius - distance * np.cos(angle)], axis=1)

    def backward(self, points: Points, params: Params, size: Size) -> Points:
        radius = _radius(params, size)
        sign = np.sign(radius)
        across, along = sign * points[:, 0], sign * (radius - points[:, 1])
        angle = np.arctan2(across, along)
        return np.stack([radius * angle, radius - sign * np.hypot(across, along)], axis=1)


def _radius(params: Params, size: Size) -> float:
    angle = np.deg2rad(params["degrees"])
    radius = size[0] / max(abs(angle), 1e-3)
    return float(np.copysign(max(radius, 1.2 * size[1]), angle))


@dataclass(frozen=True, slots=True)
class Sine(Warp):
    """Up and down along the line. Attributes: amplitude, in line heights; waves, over the whole line."""

    amplitude: Annotated[Range, Within(0, 1)] = (0.05, 0.25)
    waves: Annotated[Range, Within(0, 10)] = (0.5, 1.5)

    def sample(self, rng: Rng) -> Params:
        return {
            "amplitude": between(rng, self.amplitude),
            "waves": between(rng, self.waves),
            "phase": between(rng, (0.0, 2 * np.pi)),
        }

    def forward(self, points: Points, params: Params, size: Size) -> Points:
        return np.stack([points[:, 0], points[:, 1] + self._rise(points, params, size)], axis=1)

    def backward(self, points: Points, params: Params, size: Size) -> Points:
        return np.stack([points[:, 0], points[:, 1] - self._rise(points, params, size)], axis=1)

    @staticmethod
    def _rise(points: Points, params: Params, size: Size) -> Any:
        turns = params["waves"] * points[:, 0] / size[0]
        return params["amplitude"] * np.sin(2 * np.pi * turns + params["phase"])


@dataclass(frozen=True, slots=True)
class Elastic(Warp):
    """Crumpled a little: a smooth displacement of three waves in each direction.

    Attributes: amplitude, in line heights; at most 0.1, so that it can be inverted.
    """

    slight: ClassVar[bool] = True
    amplitude: Annotated[Range, Within(0, 0.1)] = (0.01, 0.05)

    def sample(self, rng: Rng) -> Params:
        return {
            "amplitude": between(rng, self.amplitude),
            "waves": rng.uniform(-3.0, 3.0, (3, 2)).round(4).tolist(),
            "phases": rng.uniform(0.0, 2 * np.pi, (3, 2)).round(4).tolist(),
        }

    def backward(self, points: Points, params: Params, size: Size) -> Points:
        angles = _angles(points.T, params).astype(np.float32)  # many points; NumPy's sine is quick with these
        moved: Points = points + (params["amplitude"] / 3.0 * np.sin(angles).sum(axis=0)).T
        return moved

    def forward(self, points: Points, params: Params, size: Size) -> Points:
        waves, amplitude = np.array(params["waves"]).T[:, :, None, None], params["amplitude"] / 3.0
        landed = goal = points.T
        for _ in range(
            2
        ):  # Newton's steps: 5e-5 line heights are left at most, 1e-6 with the amplitudes of the presets
            angles = _angles(landed, params)
            off = goal - landed - amplitude * np.sin(angles).sum(axis=0)
            (a, c), (b, d) = amplitude * (np.cos(angles) * waves).sum(axis=1) + np.eye(2)[:, :, None]
            landed = landed + np.stack([d * off[0] - b * off[1], a * off[1] - c * off[0]]) / (a * d - b * c)
        return landed.T


def _angles(points: Points, params: Params) -> Any:
    """(3, 2, n): of each wave in x and in y at points (2, n)."""
    return (np.array(params["waves"]) @ points)[:, None] + np.array(params["phases"])[:, :, None]


@dataclass(frozen=True, slots=True)
class Lens(Warp):
    """Radial distortion. Attributes: strength, at the block's corner; positive is a barrel."""

    strength: Annotated[Range, Within(-0.15, 0.15)] = (-0.1, 0.1)

    def sample(self, rng: Rng) -> Params:
        return {"strength": between(rng, self.strength)}

    # Beyond 1.6 the factor stays as it is there: nothing of the text lies that far, and it can't fold over.
    def backward(self, points: Points, params: Params, size: Size) -> Points:
        far = _from_middle(points, size)
        return points * (1.0 + params["strength"] * np.minimum(far, 1.6))[:, None]  # type: ignore[no-any-return]

    def forward(self, points: Points, params: Params, size: Size) -> Points:
        far, factor = _from_middle(points, size), np.ones(len(points))
        for _ in range(24):  # a contraction: 0.63 at most
            factor = 1.0 + params["strength"] * np.minimum(far / factor**2, 1.6)
        return points / factor[:, None]


def _from_middle(points: Points, size: Size) -> Any:
    """Squared distances (n,), that of the block's corner being 1."""
    return (points**2).sum(axis=1) * 4 / (size[0] ** 2 + size[1] ** 2)


@dataclass(frozen=True, slots=True)
class OneWarpOf(Warp):
    """One of the warps, all equally likely."""

    warps: Annotated[tuple[Warp, ...], NotEmpty()]

    def sample(self, rng: Rng) -> Params:
        chosen = int(rng.integers(len(self.warps)))
        return {"chosen": chosen, "params": self.warps[chosen].sample(rng)}

    def acting(self, params: Params) -> list[tuple[Warp, Params]]:
        return self.warps[params["chosen"]].acting(params["params"])

    def forward(self, points: Points, params: Params, size: Size) -> Points:
        return self.warps[params["chosen"]].forward(points, params["params"], size)

    def backward(self, points: Points, params: Params, size: Size) -> Points:
        return self.warps[params["chosen"]].backward(points, params["params"], size)


@dataclass(frozen=True, slots=True)
class ProbablyWarp(Warp):
    """The warp with this probability, else the text as it is."""

    probability: Share
    warp: Warp

    def sample(self, rng: Rng) -> Params:
        return {"params": self.warp.sample(rng) if rng.random() < self.probability else None}

    def acting(self, params: Params) -> list[tuple[Warp, Params]]:
        return [] if params["params"] is None else self.warp.acting(params["params"])

    def forward(self, points: Points, params: Params, size: Size) -> Points:
        return points if params["params"] is None else self.warp.forward(points, params["params"], size)

    def backward(self, points: Points, params: Params, size: Size) -> Points:
        return points if params["params"] is None else self.warp.backward(points, params["params"], size)
