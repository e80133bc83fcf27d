"""What stands where on a shelf: product lines side by side, facings, stacks, gaps, what fell, turned or strayed.

Metres; x runs along the shelf, y into it (0 at its front edge), z up. Nothing here knows of Blender.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, NamedTuple

import numpy as np
from numpy.random import Generator as Rng
from numpy.typing import NDArray

from synthesis.bounds import Share, Within
from synthesis.scenes.products import LINE, Product

_BETWEEN: Final = 0.004  # between neighbours
_ABOVE: Final = 0.025  # a hand's room above what stands there
_STACKED: Final = ("can", "box")
_SEARCH: Final = 30
_VARIANTS: Final = 4  # of one line beside each other, at most


@dataclass(frozen=True, slots=True)
class Habits:
    """How a shop keeps its shelves. Shares are of positions, from 0 to 1.

    Attributes:
        facings: of one product side by side, both ends included.
        rows: behind each other at most.
        gaps, turned, fallen, strayed: share of positions that are empty, turned by more than 25 degrees, lie on their
            side, hold another product.
        stacks: share of products that are stacked where they can be.
        untidiness: 0 is a ruler's work, 1 a Saturday evening.
    """

    facings: Annotated[tuple[int, int], Within(1, 50)] = (1, 5)
    rows: Annotated[int, Within(1, 20)] = 2
    gaps: Share = 0.05
    turned: Share = 0.04
    fallen: Share = 0.012
    strayed: Share = 0.01
    stacks: Share = 0.7
    untidiness: Share = 0.4


class Line(NamedTuple):
    """A product line. Attributes: package, which all share; variant, from 0 to `LINE` - 1 to the product."""

    package: dict[str, Any]
    variant: Callable[[int], Product]


@dataclass(slots=True)
class Plan:
    """What was placed. Attributes: products by number; items and tags as the scene's spec lists them."""

    products: dict[int, Product] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    tags: list[dict[str, Any]] = field(default_factory=list)


def fill_board(
    rng: Rng,
    plan: Plan,
    habits: Habits,
    choose: Callable[[Rng], Line],
    span: tuple[float, float],
    floor: float,
    room: float,
    depth: float,
) -> None:
    """Fill one board from left to right.

    Args:
        choose: draws a product line.
        span: from and to, in x. floor: the board's upper side. room: height above it. depth: of the board.
    """
    at = span[0] + float(rng.uniform(0, 0.05))
    while at < span[1]:
        line = _fitting(rng, choose, room - _ABOVE, depth)
        if line is None:
            return
        package = line.package
        for goods in map(line.variant, range(int(rng.integers(1, _VARIANTS + 1)))):
            count = int(rng.integers(habits.facings[0], habits.facings[1] + 1))
            if package["width"] > 0.15:
                count = min(count, 3)
            end = at + count * (package["width"] + _BETWEEN)
            if end > span[1]:
                return
            _place_product(rng, plan, habits, goods, count, at, floor, room, depth)
            plan.tags.append({"number": _number(goods), "at": [round(at + 0.05, 4), round(floor, 4)]})
            at = end + float(rng.uniform(0.002, 0.02))
            if rng.random() < habits.gaps:
                at += float(rng.uniform(0.04, 0.18))


def _number(goods: Product) -> int:
    return int(goods["sku"].rsplit("-", 1)[1])


def _fitting(rng: Rng, choose: Callable[[Rng], Line], room: float, depth: float) -> Line | None:
    """A line whose package stands under the next board, filling more than half of the room if that can be had."""
    fitting = None
    for _ in range(_SEARCH):
        line = choose(rng)
        package = line.package
        if package["height"] > room or package["depth"] > depth - 0.02:
            continue
        if package["height"] > 0.55 * room or (package["kind"] in _STACKED and package["height"] > 0.25 * room):
            return line
        fitting = fitting or line
    return fitting


def _place_product(
    rng: Rng, plan: Plan, habits: Habits, goods: Product, count: int, at: float, floor: float, room: float, depth: float
) -> None:
    package = goods["package"]
    wide, tall, deep = package["width"], package["height"], package["depth"]
    layers = 1
    if package["kind"] in _STACKED and package["profile"] != "brick" and tall < 0.2 and rng.random() < habits.stacks:
        layers = int(rng.integers(1, max(2, min(4, int((room - _ABOVE) / tall)) + 1)))
    elif package["kind"] in _STACKED and tall < 0.1:
        layers = max(1, min(5, int((room - _ABOVE) / tall)))
    front = float(rng.uniform(0.01, 0.03)) + habits.untidiness * float(rng.uniform(0, 0.05))
    rows = max(1, min(int(rng.integers(1, habits.rows + 1)), int((depth - front) / (deep + 0.005))))
    for column in range(count):
        x = at + (column + 0.5) * (wide + _BETWEEN)
        if rng.random() < habits.gaps:
            # Sold out at the front; what stands behind is seen.
            start, taken = (1, layers) if rows > 1 and rng.random() < 0.7 else (rows, 0)
        else:
            start, taken = 0, int(rng.integers(layers)) if layers > 1 and rng.random() < 0.3 else 0
        for row in range(start, rows):
            y = front + (row + 0.5) * (deep + 0.005)
            high = layers - (taken if row == 0 else 0)
            for layer in range(max(1, high)):
                _place_item(rng, plan, habits, goods, (x, y, floor + layer * tall), layer == 0 and high == 1)


def _place_item(
    rng: Rng, plan: Plan, habits: Habits, goods: Product, at: tuple[float, float, float], alone: bool
) -> None:
    """One item; only what stands alone may fall or turn far."""
    draw = rng.random()
    shake = habits.untidiness
    spread = 0.0 if goods["package"]["kind"] == "box" and not alone else 1.0
    turn = float(rng.normal(0, 4.0 * shake * max(spread, 0.3)))
    if goods["package"]["kind"] in ("bottle", "can", "jar"):
        # Round things are put down anyhow, mostly with the label to the front.
        turn = float(rng.normal(0, 6 + 22 * shake)) if rng.random() > 0.1 * shake else float(rng.uniform(-180, 180))
    x = at[0] + float(rng.normal(0, 0.0015 * shake))
    y = at[1] + abs(float(rng.normal(0, 0.008 * shake)))
    pose = "standing"
    if alone and draw < habits.fallen and goods["package"]["height"] < 0.32:
        pose = "fallen"
        turn = float(rng.uniform(-35, 35))
    elif alone and draw < habits.fallen + habits.turned:
        turn = float(rng.choice([-1, 1]) * rng.uniform(30, 180))
    matrix = _matrix(goods["package"], pose, turn, (x, y, at[2]), bool(rng.random() < 0.5))
    plan.products[_number(goods)] = goods
    plan.items.append(
        {
            "number": _number(goods),
            "facing": "fallen" if pose == "fallen" else "turned" if abs((turn + 180) % 360 - 180) > 25 else "front",
            "matrix": np.round(matrix, 5).tolist(),
            "strayed": bool(alone and rng.random() < habits.strayed),
        }
    )


def _matrix(
    package: dict[str, Any], pose: str, turn: float, at: tuple[float, float, float], left: bool
) -> NDArray[np.float64]:
    """(3, 4), package to world. A package stands on its origin and looks along -y."""
    about_z = _rotation(2, turn)
    if pose == "standing":
        return np.column_stack([about_z, at])
    side = _rotation(1, -90 if left else 90)
    # Lying on its side, its middle where it stood: half the width above the board, half the height aside.
    middle = about_z @ side @ np.array([0, 0, package["height"] / 2])
    lifted = np.array([at[0], at[1], at[2] + package["width"] / 2]) - middle
    return np.column_stack([about_z @ side, lifted])


def _rotation(axis: int, degrees: float) -> NDArray[np.float64]:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    one, other = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(3)
    matrix[one, one] = matrix[other, other] = cos
    matrix[one, other], matrix[other, one] = -sin, sin
    return matrix


def stray(rng: Rng, plan: Plan) -> None:
    """Put other products of the shelf where strayed ones are wanted, if one is no larger than what stood there."""
    numbers = sorted(plan.products)
    for item in plan.items:
        if not item["strayed"]:
            continue
        here = plan.products[item["number"]]["package"]
        smaller = [
            number
            for number in numbers
            if number // LINE != item["number"] // LINE
            and all(plan.products[number]["package"][side] <= here[side] for side in ("width", "height", "depth"))
        ]
        if smaller and item["facing"] != "fallen":
            item["number"] = smaller[int(rng.integers(len(smaller)))]
        else:
            item["strayed"] = False
