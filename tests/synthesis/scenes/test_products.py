"""Products, their labels and tags: the same from the same seed, free names, true barcodes, recorded texts."""

from __future__ import annotations

import json
import string
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidInput, NotFound
from synthesis.effects.seeds import item_rng
from synthesis.scenes.barcodes import bars, check_digit, draw_ean
from synthesis.scenes.brands import _read, draw_brand, is_free
from synthesis.scenes.labels import paint_label
from synthesis.scenes.packaging import PACKAGES, atlas_size, regions
from synthesis.scenes.price_tags import SIZES, STYLES, draw_tag, format_price, paint_tag
from synthesis.scenes.products import LINE, assortment, product, product_line
from synthesis.scenes.textures import keep_label, label_name
from synthesis.text.fonts import Shelf


def test_check_digits_of_numbers_that_are_printed_on_real_goods() -> None:
    known = ("4006381333931", "5901234123457", "9780306406157", "4012345678901")
    assert [check_digit(ean[:12]) for ean in known] == [int(ean[12]) for ean in known]


@given(st.integers(0, 2**32))
@settings(max_examples=50)
def test_numbers_are_of_the_range_for_shops_own_use_and_their_digits_weigh_a_multiple_of_ten(seed: int) -> None:
    ean = draw_ean(np.random.default_rng(seed))
    assert ean[0] == "2" and len(ean) == 13
    assert sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(ean)) % 10 == 0


def test_bars_are_read_back_by_another_reader() -> None:
    rng, detector = np.random.default_rng(4), cv2.barcode.BarcodeDetector()
    for _ in range(12):
        ean = draw_ean(rng)
        row = np.where(np.pad(bars(ean), (11, 7)), 0, 255).astype(np.uint8)
        picture = cv2.cvtColor(np.tile(np.repeat(row, 3), (120, 1)), cv2.COLOR_GRAY2BGR)
        corners = np.array([[[0, 120], [0, 0], [3 * len(row), 0], [3 * len(row), 120]]], np.float32)
        assert detector.decode(picture, corners)[0] == ean


@pytest.mark.parametrize("ean", ["123", "4006381333932", "40063813339a1"])
def test_a_wrong_number_gets_no_bars(ean: str) -> None:
    with pytest.raises(InvalidInput):
        bars(ean)


def test_no_brand_is_a_real_one_or_offends() -> None:
    names = [draw_brand(item_rng(3, number)) for number in range(2000)]
    assert all(is_free(name.split()[0]) for name in names)
    assert len({name.lower() for name in names}) > 1900
    assert names[:50] == [draw_brand(item_rng(3, number)) for number in range(50)]


@pytest.mark.parametrize(
    "name", ["Nestle", "nestlé", "NESTLA", "Mynivea", "Milkaa", "Hitlera", "Coca-Cola", "Shitaro", "Lidel"]
)
def test_names_like_real_or_offensive_ones_are_not_free(name: str) -> None:
    assert not is_free(name)


def _edited(name: str) -> set[str]:
    """All that replacing, adding or leaving out one letter makes of it."""
    letters, cuts = [*string.ascii_lowercase, ""], range(len(name) + 1)
    added = {name[:cut] + letter + name[cut:] for cut in cuts for letter in letters}
    return added | {name[:cut] + letter + name[cut + 1 :] for cut in cuts[:-1] for letter in letters}


@given(data=st.data())
def test_a_name_is_free_by_the_lists_read_one_by_one(data: st.DataObject) -> None:
    brands, stems = (sorted(_read(f"{name}.txt")) for name in ("real_brands", "offensive"))
    start = data.draw(st.sampled_from(brands) | st.sampled_from(stems) | st.text("aeilmnorst", max_size=9))
    cut, left_out = data.draw(st.integers(0, len(start))), data.draw(st.integers(0, 1))
    name = start[:cut] + data.draw(st.text("abeilmnorst", max_size=2)) + start[cut + left_out :]
    edited = _edited(name)
    taken = any(stem in name for stem in stems) or any(
        brand == name
        or (len(brand) >= 5 and brand in name)
        or (len(name) >= 5 and name in brand)
        or (len(brand) >= 4 and brand in edited)
        for brand in brands
    )
    assert is_free(name) == (not taken)


def test_a_line_shares_its_brand_and_package_and_differs_in_variant_and_number(system_shelf: Shelf) -> None:
    made = [product(9, number, system_shelf) for number in range(40 * LINE)]
    product.cache_clear()
    product_line.cache_clear()
    assert made == [product(9, number, system_shelf) for number in range(40 * LINE)]
    json.dumps(made)
    for first in range(0, len(made), LINE):
        line = made[first : first + LINE]
        assert len({json.dumps([p["brand"], p["package"], p["layout"], p["fonts"]]) for p in line}) == 1
        assert len({p["variant"] for p in line}) > 3
    assert len({p["ean"] for p in made}) == len({p["sku"] for p in made}) == len(made)
    assert {p["package"]["kind"] for p in made} == {"box", "bottle", "can", "jar", "bag", "pouch"}


def test_every_category_is_complete_and_its_food_weighs_no_more_than_100_grams(system_shelf: Shelf) -> None:
    for category in assortment().values():
        assert set(category["packages"]) <= set(PACKAGES)
        assert all(set(category[key]) == {"en", "de", "fr", "es"} for key in ("names", "variants", "ingredients"))
    for number in range(100):
        rows = dict(product(1, number, system_shelf)["nutrition"])
        grams = [float(amount[:-2].replace(",", ".")) for amount in rows.values() if amount.endswith(" g")]
        assert not grams or grams[0] + grams[1] + grams[3] <= 99


def test_faces_fill_the_picture_and_do_not_overlap() -> None:
    for package in (package for forms in PACKAGES.values() for package in forms):
        width, height = atlas_size(package)
        cover = np.zeros((height, width), int)
        for left, top, right, bottom in regions(package).values():
            cover[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] += 1
        assert cover.max() == 1 and cover.any(axis=0).all()
        assert min(width, height) >= 24 and max(width, height) <= 1700


def test_a_label_shows_what_it_says_and_where(system_shelf: Shelf) -> None:
    for number in range(0, 30, 3):
        goods = product(2, number, system_shelf)
        image, printed = paint_label(goods, system_shelf)
        again, _ = paint_label(goods, system_shelf)
        assert np.array_equal(image, again)
        front = {text.role: text for text in printed if text.region in ("front", "wrap") and text.role != "title"}
        for role in ("brand", "name", "variant"):
            assert front[role].text == goods[role]
        codes = [text.text.replace(" ", "") for text in printed if text.role == "ean"]
        assert codes in ([], [goods["ean"]])
        height, width = image.shape[:2]
        for text in printed:
            quad = np.array(text.quad)
            assert quad.min() > -0.02 and quad.max() < 1.02
            (left, top), (right, bottom) = quad.min(axis=0) * (width, height), quad.max(axis=0) * (width, height)
            part = image[max(0, int(top)) : int(bottom) + 1, max(0, int(left)) : int(right) + 1].astype(int)
            assert np.ptp(part.reshape(-1, 3), axis=0).max() > 60, f"{text.text} can't be told from its ground"


def test_bars_on_a_label_are_those_of_its_number(system_shelf: Shelf) -> None:
    found = 0
    for number in range(0, 200, LINE):
        goods = product(5, number, system_shelf)
        image, printed = paint_label(goods, system_shelf)
        for text in printed:
            if text.role != "ean":
                continue
            row = image[round(text.quad[0][1] * len(image)) - 6].max(axis=1) < 128
            scanned = "".join("1" if dark else "0" for dark in row)
            patterns = [
                "".join(str(int(dark)) for dark in np.repeat(bars(goods["ean"]), module)) for module in (1, 2, 3)
            ]
            found += 1
            assert any(f"0{pattern}0" in scanned for pattern in patterns), goods["sku"]
    assert found > 20


def test_tags_say_their_prices(system_shelf: Shelf) -> None:
    goods, font = product(2, 0, system_shelf), product(2, 0, system_shelf)["fonts"]["print"]
    assert format_price(1234.5, "€", "de") == "1234,50 €" and format_price(0.9, "£", "en") == "£0.90"
    for place, style in enumerate(STYLES):
        for size in SIZES:
            tag = draw_tag(item_rng(1, place), goods, "€", style, size, size != "rail", font)
            image, printed = paint_tag(json.loads(json.dumps(tag)), system_shelf)
            said = {text.role: text.text for text in printed}
            assert said["price"] == tag["price"] and image.shape[1] > image.shape[0]
            assert ("was" in said) == (size != "rail") == ("offer" in said)


def test_labels_are_kept_under_the_name_of_their_content(system_shelf: Shelf, tmp_path: Path) -> None:
    goods = product(2, 7, system_shelf)
    texts = keep_label(tmp_path, goods, system_shelf)
    picture = tmp_path / label_name(goods)
    before = picture.stat().st_mtime_ns
    assert keep_label(tmp_path, goods | {"price": 1.0}, system_shelf) == texts and picture.stat().st_mtime_ns == before
    assert label_name(goods | {"variant": "Other"}) != picture.name
    decoded = cv2.imread(str(picture))
    assert decoded is not None and np.array_equal(decoded[..., ::-1], paint_label(goods, system_shelf)[0])
    with pytest.raises(NotFound):
        keep_label(tmp_path / "other", goods | {"fonts": {"brand": "none.ttf", "print": "none.ttf"}}, system_shelf)
