"""Whole text lines: the same bytes everywhere, labels that say what is drawn, nothing that the font can't write."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidInput, NotFound
from synthesis.effects.glare import Glare
from synthesis.recipes import PRESETS, build, load_preset
from synthesis.samples import Generator, Rejected, Sample, make_sample
from synthesis.text.corpora import Codes, Mix, Words
from synthesis.text.fonts import Shelf, _shows, fonts_found, open_shelf
from synthesis.text.glyphs import drawing_size, glyph
from synthesis.text.legibility import contrast_ratio, stand_out
from synthesis.text.lines import Layout, TextLines
from synthesis.text.paint import BLENDS, Paint, _worn
from synthesis.text.warps import Arc, Perspective, Rotation

TEXT_PRESETS = [name for name in PRESETS if name.startswith("text_")]
SLACK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def digest(sample: Sample) -> str:
    labels = {name: np.asarray(value).tolist() for name, value in sample.labels.items()}
    about = json.dumps([labels, sample.params, sample.attempt], sort_keys=True)
    return hashlib.sha256(sample.image.tobytes() + about.encode()).hexdigest()


def plain(fonts: str) -> TextLines:
    """Flat black or white text on plain ground."""
    return TextLines(
        Codes(),
        font_directories=(fonts,),
        paint=Paint(10.0, 0.5, (0, 0), 0, (0, 0), 0, 0, 0, 0, (1, 1)),
        warps=(Rotation((-10, 10)), Perspective()),
    )


def all_kinds(fonts: str) -> TextLines:
    return TextLines(
        Codes(),
        font_directories=(fonts,),
        layout=Layout(lines=(1, 2), vertical=0.2, distractors=0.3),
        bend=Arc(),
        warps=(Perspective(),),
        paint=Paint(outline=0.3, shadow=0.3, extrusion=0.3, blend=0.5),
    )


@SLACK
@given(seed=st.integers(0, 2**40), index=st.integers(0, 10**9))
def test_labels_fit_the_image(pillow_fonts: str, seed: int, index: int) -> None:
    generator = all_kinds(pillow_fonts)
    sample = make_sample(generator, seed, index)
    labels, (height, width) = sample.labels, sample.image.shape[:2]
    lines = labels["text"].count("\n") + 1
    assert sample.image.dtype == np.uint8
    assert (width if sample.params["vertical"] else height) in range(32 * lines, 64 * lines + 1)
    assert "".join(labels["characters"]) == "".join(labels["text"].split())
    assert labels["character_quads"].shape == (len(labels["characters"]), 4, 2)
    assert labels["word_quads"].shape == (len(labels["words"]), 4, 2)
    for quads in (labels["character_quads"], labels["word_quads"]):
        assert quads.min() >= -1e-3
        assert (quads <= np.array([width, height]) + 1e-3).all()
    # What was drawn is written down: the parameters alone make the same sample again, also after JSON.
    image, again = generator.render(json.loads(json.dumps(sample.params)))
    assert np.array_equal(image, sample.image)
    assert np.array_equal(again["character_quads"], labels["character_quads"])


@SLACK
@given(index=st.integers(0, 10**6))
def test_ink_lies_where_the_quads_say(pillow_fonts: str, index: int) -> None:
    """On plain ground every pixel that differs lies in some character's quad, and every quad has such pixels."""
    sample = make_sample(plain(pillow_fonts), 11, index)
    ground = np.array(sample.params["paint"]["ground"]["colours"][0])
    inked = np.abs(sample.image.astype(int) - ground).max(axis=2) > 60
    explained = np.zeros_like(inked)
    y, x = np.mgrid[: inked.shape[0], : inked.shape[1]] + 0.5
    for quad in sample.labels["character_quads"]:
        edges = np.roll(quad, -1, axis=0) - quad
        lengths = np.maximum(np.hypot(*edges.T), 1e-6)
        dx, dy = x[..., None] - quad[:, 0], y[..., None] - quad[:, 1]
        inside = ((edges[:, 0] * dy - edges[:, 1] * dx) / lengths > -1.0).all(axis=-1)
        assert (inside & inked).any()
        explained |= inside
    assert not (inked & ~explained).any()


def test_same_bytes_in_another_order_and_process(pillow_fonts: str) -> None:
    script = (
        "import sys; from tests.synthesis.text.test_lines import all_kinds, digest;"
        "from synthesis.samples import make_sample;"
        "print(*[digest(make_sample(all_kinds(sys.argv[1]), 5, i)) for i in range(12)])"
    )
    run = subprocess.run([sys.executable, "-c", script, pillow_fonts], capture_output=True, text=True, check=True)
    backwards = [digest(make_sample(all_kinds(pillow_fonts), 5, index)) for index in reversed(range(12))]
    assert run.stdout.split() == backwards[::-1]


@pytest.mark.parametrize("name", TEXT_PRESETS)
def test_presets_write_only_what_their_fonts_have(name: str, system_shelf: Shelf) -> None:
    generator: Generator = load_preset(name)
    seen = set()
    for index in range(40):
        sample = make_sample(generator, 7, index)
        face = system_shelf.face(sample.labels["font"])
        drawn = set("".join(sample.labels["characters"]))
        assert drawn <= face.coverage
        assert all(glyph(face.path, 24, char).mask.any() for char in drawn)
        assert sample.labels["ink_difference"] >= 15
        assert sample.image.shape[0] >= 30
        seen.add(digest(sample))
    assert len(seen) == 40


def test_missing_fonts_and_glyphs_are_named(pillow_fonts: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(NotFound, match="no font directory /nowhere"):
        open_shelf(("/nowhere",))
    with pytest.raises(NotFound, match="apt-get install"):
        open_shelf((str(tmp_path_factory.mktemp("none")),))
    with pytest.raises(NotFound, match="No font of the family Comic Roman"):
        open_shelf((pillow_fonts,), ("Comic Roman",))
    with pytest.raises(NotFound, match=r"aileron.ttf lacks ж \(U\+0436\)"):
        open_shelf((pillow_fonts,)).choose(np.random.default_rng(0), "жest")
    with pytest.raises(NotFound, match=r"ж \(U\+0436\)|lacks"):
        make_sample(TextLines(Words("cyrillic"), font_directories=(pillow_fonts,)), 0, 0)
    with pytest.raises(NotFound, match="no word list 'klingon'"):
        make_sample(TextLines(Words("klingon"), font_directories=(pillow_fonts,)), 0, 0)


def test_a_recipe_names_no_place_on_the_server(pillow_fonts: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("secret") / "words.txt"
    secret.write_text("hunter2 swordfish")
    with pytest.raises(InvalidInput, match="has no key font_directories"):
        build({"text_lines": {"corpus": {"codes": {}}, "font_directories": [pillow_fonts]}})
    for name in (str(secret), "../words/latin", "/etc/passwd"):
        with pytest.raises(InvalidInput, match="is unknown; it may be cyrillic, greek, latin"):
            build({"words": {"list": name}})


def test_words_of_ones_own() -> None:
    corpus = build({"words": {"own": ["Loupe", "cafe\u0301", "Loupe"], "count": [1, 1], "capitals": 0.0}})
    rng = np.random.default_rng(0)
    assert {corpus.draw(rng) for _ in range(50)} == {"Loupe", "café"}
    with pytest.raises(InvalidInput, match="at least one"):
        build({"words": {"own": [" "]}}).draw(rng)


def test_broken_font_files_are_passed_over(tmp_path_factory: pytest.TempPathFactory, pillow_fonts: str) -> None:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "bad.ttf").write_bytes(b"no font at all")
    (folder / "good.ttf").write_bytes((Path(pillow_fonts) / "aileron.ttf").read_bytes())
    assert list(open_shelf((str(folder),)).faces) == ["good.ttf"]


@pytest.mark.usefixtures("only_pillow_fonts")
def test_few_fonts_are_told_with_the_line_that_gets_more() -> None:
    assert fonts_found() == "1 face of 1 family; `make fonts` gets more, or tells how."


def test_fonts_of_mathematics_are_left_out_unless_named(pillow_fonts: str, tmp_path: Path) -> None:
    for family in ("Sum Math", "Mathilde", "Standard Symbols PS"):
        font = TTFont(Path(pillow_fonts) / "aileron.ttf")
        for record in font["name"].names:
            record.string = family
        font.save(tmp_path / f"{family}.ttf")
    assert list(open_shelf((str(tmp_path),)).faces) == ["Mathilde.ttf"]
    assert list(open_shelf((str(tmp_path),), ("Sum Math",)).faces) == ["Sum Math.ttf"]


def test_illegible_recipes_say_so(pillow_fonts: str) -> None:
    grey_on_grey = TextLines(Codes(), font_directories=(pillow_fonts,), paint=Paint(contrast=21.5))
    with pytest.raises(InvalidInput, match=r"No colours of contrast 21\.5"):
        make_sample(grey_on_grey, 0, 0)


def test_contrast_ratios_of_the_standard() -> None:
    assert contrast_ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast_ratio((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert contrast_ratio((10, 20, 30), (10, 20, 30)) == 1.0


def test_how_far_ink_stands_out() -> None:
    image, coverage = np.full((10, 60, 3), 200, np.uint8), np.zeros((10, 60), np.uint8)
    for left, grey in ((5, 0), (25, 190)):
        image[3:6, left : left + 5], coverage[3:6, left : left + 5] = grey, 255
    image[:, 20:40] += np.random.default_rng(0).integers(-9, 10, (10, 20, 1)).astype(np.uint8)
    coverage[:, 40:50] = 255
    spans = np.array([[0, 0, 20, 10], [20, 0, 40, 10], [40, 0, 50, 10], [50, 0, 60, 10]])
    difference, clearness = stand_out(image, coverage, spans)
    assert difference == pytest.approx([200, 10, 255, 0], abs=3)
    grey, ink = image[:, 20:40, 0].astype(float), coverage[:, 20:40] > 0
    spread = np.sqrt((grey[ink].var() + grey[~ink].var()) / 2)
    assert clearness[[0, 2, 3]] == pytest.approx([200 / 8, np.inf, 0])
    assert clearness[1] == pytest.approx(difference[1] / (spread + 8))


def test_a_letter_that_glare_hides_is_drawn_anew(pillow_fonts: str) -> None:
    glared = replace(plain(pillow_fonts), effects=Glare((255.0, 255.0), (0.6, 0.8)), least_ink_difference=0.0)
    params = make_sample(plain(pillow_fonts), 11, 0).params | {
        "effects": glared.effects.sample(np.random.default_rng(0))
    }
    params["paint"]["ground"]["colours"], params["paint"]["ink"]["colours"] = [[255] * 3], [[150] * 3]
    x, y = glared.place(params)[3][0].mean(axis=0) / glared.place(params)[2][::-1]
    params["effects"] |= {"x": float(x), "y": float(y)}
    with pytest.raises(Rejected, match="A letter stands out"):
        glared.render(params)
    replace(glared, least_clearness=0.0).render(params)


@given(st.floats(1, 250))
def test_glyphs_are_drawn_no_smaller_than_they_are_seen(wanted: float) -> None:
    assert wanted <= drawing_size(wanted) <= max(18, 1.8 * wanted)


@given(st.integers(0, 2**32))
def test_capitals_need_no_combining_marks(seed: int) -> None:
    text = Mix((Words("greek", capitals=1.0), Words("latin", capitals=1.0))).draw(np.random.default_rng(seed))
    assert not any(unicodedata.combining(char) for char in text)


@pytest.mark.parametrize(
    ("glyph", "char", "shows"),
    [
        ("sterling", "£", True),
        ("lessequal", "£", False),  # where the Symbol font has it
        ("Alpha", "A", False),
        ("Delta", "Δ", True),
        ("Tcommaaccent", "Ț", True),
        ("glyph0042", "B", True),
        ("a14", "Ä", False),  # an ornament
        (".notdef", "A", False),
    ],
)
def test_a_glyph_of_another_sign_is_not_the_character(glyph: str, char: str, shows: bool) -> None:
    assert _shows(glyph, char) is shows


def test_a_space_has_no_ink_even_where_the_font_draws_an_empty_key(pillow_fonts: str, tmp_path: Path) -> None:
    font = TTFont(next(Path(pillow_fonts).rglob("*.ttf")))
    for table in font["cmap"].tables:
        table.cmap[ord(" ")] = table.cmap[ord("O")]
    font.save(tmp_path / "keys.ttf")
    assert glyph(str(tmp_path / "keys.ttf"), 24, "O").mask.any()
    assert not glyph(str(tmp_path / "keys.ttf"), 24, " ").mask.size


@pytest.mark.parametrize("mode", BLENDS)
def test_blend_modes_are_what_their_names_say(mode: str) -> None:
    ground, ink = np.float32([0, 60, 120, 200, 255]), np.float32([255, 10, 127.5, 240, 0])
    one, other = ground / 255, ink / 255
    hard = lambda under, over: np.where(over < 0.5, 2 * under * over, 1 - 2 * (1 - under) * (1 - over))  # noqa: E731
    expected = {
        "normal": other,
        "multiply": one * other,
        "screen": 1 - (1 - one) * (1 - other),
        "darken": np.minimum(one, other),
        "lighten": np.maximum(one, other),
        "add": one + other,
        "difference": abs(one - other),
        "overlay": hard(other, one),
        "hard_light": hard(one, other),
        "soft_light": (1 - 2 * other) * one**2 + 2 * other * one,
    }
    assert np.allclose(BLENDS[mode](ground, ink) / 255, expected[mode], atol=1e-6)


@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.05, 0.25), size=st.floats(0.05, 0.2))
def test_worn_print_loses_about_its_share(seed: int, share: float, size: float) -> None:
    left = _worn(np.full((64, 512), 200, np.uint8), 40.0, share, size, seed)
    assert left.max() <= 200
    assert 1 - left.mean() / 200 == pytest.approx(share, abs=0.12)
    assert (left == 0).any()


def test_a_mask_says_which_pixels_are_ink(pillow_fonts: str) -> None:
    masked = replace(plain(pillow_fonts), mask=True)
    sample = make_sample(masked, 3, 0)
    ink, ground = sample.labels["ink"], np.array(sample.params["paint"]["ground"]["colours"][0])
    assert (ink.dtype, ink.shape) == (np.uint8, sample.image.shape[:2])
    change = np.abs(sample.image.astype(int) - ground).max(axis=2)
    assert np.allclose(change / change.max(), ink / 255, atol=0.02)
    assert "ink" not in make_sample(plain(pillow_fonts), 3, 0).labels
