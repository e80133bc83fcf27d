"""A shelf in a shop, seen by a phone: the spec is drawn here, Blender builds it (`blender/kinds/shelf.py`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from numpy.random import Generator as Rng

from foundation.errors import InvalidInput
from synthesis.bounds import NotEmpty, Share, Within
from synthesis.effects.base import Image, Params
from synthesis.samples import Labels, Rejected
from synthesis.scenes.cameras import horizontal_angle, look_at, project
from synthesis.scenes.planogram import Habits, Line, Plan, fill_board, stray
from synthesis.scenes.price_tags import SIZES, STYLES, draw_tag
from synthesis.scenes.products import LINE, PRINT_LETTERS, Product, assortment, product, product_line
from synthesis.scenes.scene import Scene
from synthesis.scenes.texts import place_texts
from synthesis.scenes.textures import keep_label, keep_tag, label_name, tag_name
from synthesis.text.fonts import Shelf as Fonts
from synthesis.text.fonts import open_shelf, reopen_shelf

Range = tuple[float, float]
DEPARTMENTS: Final = {
    "dry": ("pasta", "rice", "flour", "canned", "sauce", "oil", "pickles"),
    "breakfast": ("cereal", "coffee", "tea", "jam", "biscuits", "milk"),
    "drinks": ("juice", "soft_drink", "beer", "milk"),
    "sweets": ("chocolate", "biscuits", "crisps", "nuts"),
    "household": ("detergent", "care", "toothpaste"),
    "pets": ("pet_food",),
    "mixed": (),
}
_HALF_LENGTH: Final = 5.0  # the gondola runs past what any camera here sees
_SHOP_FONTS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&.,%+äöüßéèêàçñáíóú€£$'"


@dataclass(frozen=True, slots=True)
class ShelfScenes(Scene):
    """Draws shelves.

    Attributes:
        catalogue: seed of the catalogue; products: how many of its products a shop may have.
        habits: how well the shelves are kept.
        promotions: share of products with an offer on their tag.
        distance: of the camera from the shelf's edge, metres; camera_height: metres above the floor.
        yaw, pitch, roll: of the camera, degrees; it looks down where pitch is positive.
        lens: millimetres of a full-frame lens with the same view; a phone has 24 to 28.
        aperture: f-number of the blur in front and behind, none if left out (labels then need one more render).
        currencies: one is drawn for each shop.
        font_directories: the system's if left out, as in recipes.
    """

    catalogue: Annotated[int, Within(0, 2**31 - 1)] = 1
    products: Annotated[int, Within(LINE, 1_000_000)] = 5000
    habits: Habits = field(default_factory=Habits)
    promotions: Share = 0.08
    distance: Annotated[Range, Within(0.4, 4)] = (0.8, 1.7)
    camera_height: Annotated[Range, Within(0.2, 3)] = (1.2, 1.7)
    yaw: Annotated[Range, Within(-60, 60)] = (-22.0, 22.0)
    pitch: Annotated[Range, Within(-60, 60)] = (-8.0, 30.0)
    roll: Annotated[Range, Within(-180, 180)] = (-3.0, 3.0)
    lens: Annotated[Range, Within(10, 200)] = (24.0, 28.0)
    aperture: Annotated[Range, Within(0.7, 64)] | None = None
    currencies: Annotated[tuple[str, ...], NotEmpty()] = ("€", "€", "£", "$")
    font_directories: tuple[str, ...] = field(default=(), metadata={"recipe": False})

    def sample(self, rng: Rng) -> Params:
        fonts = open_shelf(self.font_directories)
        gondola = _gondola(rng)
        camera = self._camera(rng, gondola)
        plan = self._plan(rng, gondola, camera, fonts)
        numbers = sorted({item["number"] for item in plan.items})
        places = {number: place for place, number in enumerate(numbers)}
        tags = self._tags(rng, plan, gondola, camera, fonts)
        items = [
            {"product": places[item["number"]], "facing": item["facing"], "matrix": item["matrix"]}
            for item in plan.items
        ]
        if len(items) < 5:
            raise Rejected("Fewer than five items are in the picture.")
        return {
            "kind": "shelf",
            "seed": int(rng.integers(2**31)),
            "render": self.settings(),
            "catalogue": self.catalogue,
            "camera": camera,
            "room": _room(rng),
            "gondola": gondola,
            "products": [_listed(plan.products[number]) for number in numbers],
            "items": items,
            "tags": tags,
        }

    def classes(self) -> tuple[str, ...]:
        return "box", "bottle", "can", "jar", "bag", "pouch", "price_tag"

    def check(self) -> None:
        reopen_shelf(self.font_directories).check(frozenset(_SHOP_FONTS).union(*self.currencies, PRINT_LETTERS))

    def render(self, params: Params) -> tuple[Image, Labels]:
        image, labels = super(ShelfScenes, self).render(params)
        place_texts(labels)
        return image, labels

    def prepare(self, params: Params, folder: Path) -> Params:
        """The spec with the texts of every label, its pictures being in `folder`.

        Raises:
            NotFound: a font is missing here. InvalidInput: other fonts are here than where the spec was drawn.
        """
        fonts = open_shelf(self.font_directories)
        listed = []
        for entry in params["products"]:
            goods = product(params["catalogue"], int(entry["sku"].rsplit("-", 1)[1]), fonts)
            if label_name(goods) != entry["texture"]:
                raise InvalidInput(
                    f"The label of {entry['sku']} would look different with the fonts here.", code="font_missing"
                )
            listed.append(entry | {"texts": keep_label(folder, goods, fonts)})
        tags = [tag | {"texts": keep_tag(folder, tag["tag"], fonts)} for tag in params["tags"]]
        return {**params, "products": listed, "tags": tags}

    def _camera(self, rng: Rng, gondola: dict[str, Any]) -> dict[str, Any]:
        height = float(rng.uniform(*self.camera_height))
        place = np.array([0.0, -float(rng.uniform(*self.distance)), height])
        yaw = np.radians(rng.uniform(*self.yaw))
        # A person holds the phone nearly upright: some degrees up, more of them down.
        away = -place[1] / np.cos(yaw)
        low, high = height - away * np.tan(np.radians(self.pitch[1])), height - away * np.tan(np.radians(self.pitch[0]))
        aimed = np.clip(rng.uniform(low, high), gondola["boards"][0] + 0.15, gondola["boards"][-1] + 0.2)
        target = np.array([-place[1] * np.tan(yaw), 0.0, float(aimed)])
        matrix = look_at(place, target, float(rng.uniform(*self.roll)))
        return {
            "matrix": np.round(matrix, 6).tolist(),
            "angle": round(horizontal_angle(float(rng.uniform(*self.lens)), self.width, self.height), 5),
            "aperture": round(float(rng.uniform(*self.aperture)), 2) if self.aperture else None,
            "focus": round(float(np.linalg.norm(target - place)), 4),
            "exposure": round(float(rng.uniform(-0.25, 0.3)), 3),
            "soft_highlights": bool(rng.random() < 0.6),
        }

    def _plan(self, rng: Rng, gondola: dict[str, Any], camera: dict[str, Any], fonts: Fonts) -> Plan:
        """What is in the picture, board by board."""
        wanted = DEPARTMENTS[str(rng.choice(sorted(DEPARTMENTS)))] or tuple(assortment())

        def choose(rng: Rng) -> Line:
            for _ in range(200):
                number = int(rng.integers(self.products // LINE))
                line = product_line(self.catalogue, number)
                if line["category"] in wanted:
                    break
            return Line(line["package"], lambda place: product(self.catalogue, number * LINE + place, fonts))

        plan = Plan()
        boards = gondola["boards"]
        for board, above in zip(boards, [*boards[1:], boards[-1] + 0.42], strict=True):
            span = self._seen(camera, board, min(above, board + 0.3), gondola["depth"])
            if span is not None:
                room = above - board - (gondola["thickness"] if above in boards else 0)
                fill_board(rng, plan, self.habits, choose, span, board, room, gondola["depth"])
        plan.items = [item for item in plan.items if self._in_picture(camera, plan.products[item["number"]], item)]
        stray(rng, plan)
        return plan

    def _seen(self, camera: dict[str, Any], low: float, high: float, depth: float) -> tuple[float, float] | None:
        """From where to where a board with its goods is in the picture."""
        x = np.linspace(-_HALF_LENGTH, _HALF_LENGTH, 251)
        points = np.array([(at, y, z) for at in x for y in (0.0, depth) for z in (low, high)])
        seen = project(np.array(camera["matrix"]), camera["angle"], self.width / self.height, points)
        inside = points[(np.abs(seen[:, :2]) < 1.08).all(axis=1) & (seen[:, 2] > 0.1), 0]
        return (float(inside.min()) - 0.12, float(inside.max()) + 0.12) if len(inside) else None

    def _in_picture(self, camera: dict[str, Any], goods: Product, item: dict[str, Any]) -> bool:
        package = goods["package"]
        half, deep = package["width"] / 2, package["depth"] / 2
        corners = np.array([(x, y, z) for x in (-half, half) for y in (-deep, deep) for z in (0, package["height"])])
        matrix = np.array(item["matrix"])
        world = corners @ matrix[:, :3].T + matrix[:, 3]
        seen = project(np.array(camera["matrix"]), camera["angle"], self.width / self.height, world)
        return bool(
            (seen[:, 2] > 0.05).all() and (seen[:, :2].min(0) < 1.02).all() and (seen[:, :2].max(0) > -1.02).all()
        )

    def _tags(
        self, rng: Rng, plan: Plan, gondola: dict[str, Any], camera: dict[str, Any], fonts: Fonts
    ) -> list[dict[str, Any]]:
        style, currency = str(rng.choice(sorted(STYLES))), str(rng.choice(self.currencies))
        font = fonts.choose(rng, _SHOP_FONTS if currency in "€£$" else _SHOP_FONTS + currency).name
        tags: list[dict[str, Any]] = []
        edges: dict[float, float] = {}
        for listed in plan.tags:
            promoted = bool(rng.random() < self.promotions)
            size = str(rng.choice(["large", "talker", "rail"], p=[0.4, 0.25, 0.35])) if promoted else "rail"
            goods = product(self.catalogue, listed["number"], fonts)
            tag = draw_tag(rng, goods, currency, style, size, promoted, font)
            (left, board), (wide, tall) = listed["at"], SIZES[size]
            if left < edges.get(board, -9.0) or rng.random() < 0.03:
                continue
            edges[board] = left + wide + 0.002
            down = 0.02 if size == "rail" else tall / 2 - float(rng.uniform(0.0, 0.01))
            at = [left + wide / 2, -0.008 if size == "rail" else -0.012, board - down]
            seen = project(np.array(camera["matrix"]), camera["angle"], self.width / self.height, np.array([at]))[0]
            if seen[2] > 0 and np.abs(seen[:2]).max() < 1.1:
                tags.append(
                    {
                        "tag": tag,
                        "sku": goods["sku"],
                        "texture": tag_name(tag),
                        "size": [wide, tall],
                        "at": [round(float(v), 4) for v in at],
                        "tilt": [round(float(rng.normal(0, 1.2)), 2), round(float(rng.normal(-4, 2)), 2)],
                    }
                )
        return tags


def _listed(goods: Product) -> dict[str, Any]:
    keys = ("sku", "ean", "brand", "name", "variant", "weight", "category", "package", "lid", "body", "content")
    return {key: goods[key] for key in keys} | {"texture": label_name(goods)}


def _gondola(rng: Rng) -> dict[str, Any]:
    """Boards at usual heights, metal or wood, with a back panel and rails."""
    boards, top = [round(float(rng.uniform(0.12, 0.2)), 3)], float(rng.uniform(1.45, 2.0))
    while boards[-1] < top:
        boards.append(round(boards[-1] + float(rng.choice([0.26, 0.3, 0.34, 0.38, 0.44])), 3))
    metal = [[0.7, 0.7, 0.69], [0.6, 0.58, 0.54], [0.12, 0.12, 0.13], [0.35, 0.37, 0.4]][int(rng.integers(4))]
    wood = bool(rng.random() < 0.15)
    rails = [[0.7, 0.7, 0.72], [0.6, 0.05, 0.06], [0.05, 0.16, 0.4], [0.9, 0.75, 0.1], [0.1, 0.35, 0.15]]
    return {
        "boards": boards,
        "depth": round(float(rng.uniform(0.36, 0.48)), 3),
        "thickness": round(float(rng.uniform(0.025, 0.04)), 3),
        "half_length": _HALF_LENGTH,
        "bay": float(rng.choice([1.0, 1.25, 1.33])),
        "offset": round(float(rng.uniform(0, 1)), 3),
        "colour": [0.45, 0.28, 0.14] if wood else metal,
        "back": [round(float(c) * float(rng.uniform(0.75, 1)), 3) for c in metal],
        "rail": rails[int(rng.integers(len(rails)))],
        "perforated": bool(rng.random() < 0.4),
    }


def _room(rng: Rng) -> dict[str, Any]:
    """Floor, walls, ceiling and lights of the shop."""
    grey = float(rng.uniform(0.16, 0.5))
    warm = float(rng.uniform(-0.06, 0.1))
    return {
        "aisle": round(float(rng.uniform(1.9, 2.8)), 3),
        "ceiling": round(float(rng.uniform(2.8, 3.8)), 3),
        "floor": [round(grey * f, 3) for f in (1.0, 1 - abs(warm), 1 - 2 * max(0.0, warm))],
        "tile": float(rng.choice([0.3, 0.45, 0.6, 1.2])),
        "floor_roughness": round(float(rng.uniform(0.12, 0.5)), 3),
        "wall": [round(float(v), 3) for v in rng.uniform(0.5, 0.85, 3)],
        "lights": int(rng.integers(1, 3)),
        "watts": round(float(rng.uniform(34, 58)), 1),
        "light": [1.0, round(0.93 - warm, 3), round(0.86 - 2 * warm, 3)],
        "ambient": round(float(rng.uniform(0.18, 0.36)), 3),
        "opposite": [round(float(v), 3) for v in rng.uniform(0.15, 0.7, 3)],
    }
