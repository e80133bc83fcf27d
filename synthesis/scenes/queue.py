"""People who queue before a counter: the spec is drawn here, Blender builds it (`blender/kinds/queue.py`).

Meant for counting, heads and the order of a queue; the faces are nobody's and of no use for telling people apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.random import Generator as Rng

from foundation.errors import InvalidInput
from synthesis.bounds import Share, Within
from synthesis.effects.base import Image, Params
from synthesis.samples import Labels, Rejected
from synthesis.scenes.bodies import body_name, check_people, keep_body
from synthesis.scenes.cameras import horizontal_angle, look_at, project
from synthesis.scenes.heads import HEAD, place_heads
from synthesis.scenes.people import person
from synthesis.scenes.scene import Scene

Range = tuple[float, float]
_APART = 0.48  # two people's middles, metres


@dataclass(frozen=True, slots=True)
class QueueScenes(Scene):
    """Draws queues.

    Attributes:
        crowd: seed of the crowd; people: how many different people it has.
        count: people in the queue, both ends included.
        spacing: metres from one to the next.
        bend: degrees by which the line turns from one to the next, either way.
        bystanders: people who stand about without queueing, at most.
        staff: share of counters with somebody behind.
        camera_height: metres; above 2.2 the camera hangs, else somebody holds it.
        lens: millimetres of a full-frame lens with the same view.
    """

    crowd: Annotated[int, Within(0, 2**31 - 1)] = 1
    people: Annotated[int, Within(1, 1000000)] = 400
    count: Annotated[tuple[int, int], Within(0, 40)] = (3, 10)
    spacing: Annotated[Range, Within(_APART, 3)] = (0.55, 1.0)
    bend: Annotated[Range, Within(0, 90)] = (0.0, 9.0)
    bystanders: Annotated[int, Within(0, 40)] = 3
    staff: Share = 0.85
    camera_height: Annotated[Range, Within(0.5, 6)] = (1.45, 3.2)
    lens: Annotated[Range, Within(10, 200)] = (24.0, 30.0)

    def __post_init__(self) -> None:
        if self.people < self.count[1] + self.bystanders + 1:
            raise InvalidInput("the crowd has fewer people than one scene may show", code="bad_recipe")

    def sample(self, rng: Rng) -> Params:
        count = int(rng.integers(self.count[0], self.count[1] + 1))
        stands = self._line(rng, count)
        if rng.random() < self.staff:
            stands.append(
                {"role": "staff", "order": None, "at": [round(float(rng.uniform(-0.4, 0.4)), 3), 1.15], "turn": 0.0}
            )
        stands += _about(rng, stands, int(rng.integers(self.bystanders + 1)))
        numbers = rng.choice(self.people, size=len(stands), replace=False)
        people = []
        for stand, number in zip(stands, numbers.tolist(), strict=True):
            turn = stand["turn"] + float(rng.normal(0, 12 if stand["role"] == "queue" else 25))
            people.append(
                stand | {"turn": round(turn, 1), "number": number, "body": body_name(person(self.crowd, number))}
            )
        camera = self._camera(rng, people)
        self._check(camera, people)
        return {
            "kind": "queue",
            "seed": int(rng.integers(2**31)),
            "render": self.settings(),
            "crowd": self.crowd,
            "camera": camera,
            "room": _room(rng),
            "counter": _counter(rng),
            "racks": [_rack(rng, wall) for wall in ("back", "left", "right")],
            "barriers": _barriers(rng, people),
            "people": people,
        }

    def classes(self) -> tuple[str, ...]:
        return "person", HEAD

    def check(self) -> None:
        check_people()

    def prepare(self, params: Params, folder: Path) -> Params:
        for entry in params["people"]:
            keep_body(folder, person(params["crowd"], entry["number"]))
        return params

    def render(self, params: Params) -> tuple[Image, Labels]:
        image, labels = super(QueueScenes, self).render(params)
        place_heads(labels)
        return image, labels

    def _line(self, rng: Rng, count: int) -> list[dict[str, Any]]:
        """From the counter's edge (y = 0) away from it; the first is order 1."""
        stands: list[dict[str, Any]] = []
        at, heading = np.array([float(rng.uniform(-0.3, 0.3)), -0.5]), -90.0
        turning = float(rng.choice([-1, 1]) * rng.uniform(*self.bend))
        for place in range(count):
            aside = rng.normal(0, 0.05, 2)
            stands.append(
                {
                    "role": "queue",
                    "order": place + 1,
                    "at": [round(float(v), 3) for v in at + aside],
                    # A body that isn't turned looks along -y; who queues looks back along the line's way.
                    "turn": round(heading - 90.0, 1),
                }
            )
            heading += turning + float(rng.normal(0, 3))
            step = float(rng.uniform(*self.spacing))
            at = at + step * np.array([math.cos(math.radians(heading)), math.sin(math.radians(heading))])
        return stands

    def _camera(self, rng: Rng, people: list[dict[str, Any]]) -> dict[str, Any]:
        places = np.array([entry["at"] for entry in people if entry["role"] != "bystander"] or [[0.0, 0.0]])
        middle = places.mean(axis=0)
        extent = max(1.2, float(np.linalg.norm(places - middle, axis=1).max()))
        height = float(rng.uniform(*self.camera_height))
        # Beside the line rather than along it, now and then from behind; never through the counter.
        azimuth = math.radians(float(rng.choice([-1, 1]) * rng.uniform(15, 85)) - 90)
        away = float(rng.uniform(1.0, 1.5)) * extent + 1.2
        place = np.array([middle[0] + away * math.cos(azimuth), middle[1] + away * math.sin(azimuth), height])
        place[:2] = np.clip(place[:2], [-6.4, -9.4], [6.4, -0.2])
        target = np.array([*(middle + rng.normal(0, 0.15, 2)), float(rng.uniform(0.9, 1.25))])
        return {
            "matrix": np.round(look_at(place, target, float(rng.normal(0, 1.5))), 6).tolist(),
            "angle": round(horizontal_angle(float(rng.uniform(*self.lens)), self.width, self.height), 5),
            "aperture": None,
            "focus": round(float(np.linalg.norm(target - place)), 3),
            "exposure": round(float(rng.uniform(-0.2, 0.35)), 3),
            "soft_highlights": bool(rng.random() < 0.6),
        }

    def _check(self, camera: dict[str, Any], people: list[dict[str, Any]]) -> None:
        """Nobody stands right before the lens, and the queue is in the picture."""
        place = np.array(camera["matrix"])[:2, 3]
        if min(math.dist(place, entry["at"]) for entry in people) < 0.9:
            raise Rejected("Somebody stands before the camera.")
        queue = [[*entry["at"], 1.5] for entry in people if entry["role"] == "queue"]
        if queue:
            seen = project(np.array(camera["matrix"]), camera["angle"], self.width / self.height, np.array(queue))
            if ((seen[:, 2] > 0) & (np.abs(seen[:, :2]) < 1).all(axis=1)).mean() < 0.6:
                raise Rejected("Most of the queue is out of the picture.")


def _about(rng: Rng, stands: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """People who just stand about, not within arm's reach of another."""
    found: list[dict[str, Any]] = []
    for _ in range(40 * count):
        if len(found) == count:
            break
        at = [round(float(rng.uniform(-4, 4)), 3), round(float(rng.uniform(-8, -0.6)), 3)]
        if all(math.dist(at, other["at"]) > 1.1 for other in stands + found):
            found.append({"role": "bystander", "order": None, "at": at, "turn": round(float(rng.uniform(0, 360)), 1)})
    return found


def _room(rng: Rng) -> dict[str, Any]:
    grey, warm = float(rng.uniform(0.14, 0.45)), float(rng.uniform(-0.05, 0.1))
    return {
        "aisle": 8.0,
        "ceiling": round(float(rng.uniform(3.3, 4.2)), 3),
        "floor": [round(grey * f, 3) for f in (1.0, 1 - abs(warm), 1 - 2 * max(0.0, warm))],
        "tile": float(rng.choice([0.3, 0.6, 1.2])),
        "floor_roughness": round(float(rng.uniform(0.15, 0.5)), 3),
        "wall": [round(float(v), 3) for v in rng.uniform(0.35, 0.8) * rng.uniform(0.85, 1.0, 3)],
        "lights": 3,
        "watts": round(float(rng.uniform(70, 120)), 1),
        "light": [1.0, round(0.94 - warm, 3), round(0.87 - 2 * warm, 3)],
        "ambient": round(float(rng.uniform(0.14, 0.3)), 3),
    }


def _counter(rng: Rng) -> dict[str, Any]:
    return {
        "width": round(float(rng.uniform(1.6, 3.6)), 3),
        "depth": round(float(rng.uniform(0.6, 0.85)), 3),
        "height": round(float(rng.uniform(0.9, 1.12)), 3),
        "front": [round(float(v), 3) for v in rng.uniform(0.06, 0.6) * rng.uniform(0.6, 1.0, 3)],
        "top": [round(float(v), 3) for v in rng.uniform(0.1, 0.7) * np.array([1, 0.9, 0.8])],
        "till": round(float(rng.uniform(-0.5, 0.5)), 3),
        "sign": [round(float(v), 3) for v in rng.uniform(0.03, 0.5, 3)],
    }


def _rack(rng: Rng, wall: str) -> dict[str, Any]:
    """Shelves with coloured boxes along a wall, too far to read. `boxes`: from and to along the wall, board, height,
    red, green, blue (linear)."""
    boards = [0.15, 0.55, 0.95, 1.35, 1.75]
    length = {"back": 10.0, "left": 7.0, "right": 7.0}[wall]
    boxes = []
    for board in range(len(boards)):
        at = 0.05
        while at < length - 0.4:
            wide, tall = float(rng.uniform(0.06, 0.2)), float(rng.uniform(0.12, 0.33))
            colour = rng.uniform(0.03, 0.6) + rng.uniform(0.0, 0.75) * (rng.uniform(0.0, 0.5, 3) - 0.25)
            colour = np.clip(colour, 0.01, 0.8)
            for _ in range(int(rng.integers(1, 6))):
                if at + wide < length:
                    boxes.append([round(float(v), 3) for v in (at, at + wide, board, tall, *colour)])
                at += wide + 0.01
            at += float(rng.choice([0.0, 0.02, 0.15], p=[0.6, 0.3, 0.1]))
    return {"wall": wall, "length": length, "boards": boards, "boxes": boxes}


def _barriers(rng: Rng, people: list[dict[str, Any]]) -> list[list[float]]:
    """Posts beside the line, in half of the scenes: x, y of each, joined by a belt in this order."""
    queue = [entry["at"] for entry in people if entry["role"] == "queue"]
    if len(queue) < 3 or rng.random() < 0.5:
        return []
    side = float(rng.choice([-1, 1]) * rng.uniform(0.5, 0.65))
    posts = []
    for one, other in zip(queue[::2], queue[1::2], strict=False):
        way = np.subtract(other, one) / max(math.dist(one, other), 0.01)
        place = np.array(one) + side * np.array([-way[1], way[0]])
        if min(math.dist(place, entry["at"]) for entry in people) > 0.35:
            posts.append([round(float(v), 3) for v in place])
    return posts
