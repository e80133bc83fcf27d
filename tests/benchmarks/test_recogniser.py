"""The recogniser's benchmark: its list of words, its cuts, its decoding and its measures."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.recogniser import edits, judge, redrawn, report, summary
from benchmarks.recogniser_images import CHARACTERS, LONGEST, draw_texts
from benchmarks.recogniser_network import decode, to_batch
from benchmarks.recogniser_words import HEIGHT, TEST_DATA, Word, cut, cut_all, line, read_words


def test_the_list_of_words_is_usable() -> None:
    words = read_words()
    assert len(words) >= 100
    assert sum(word.kind == "photo" for word in words) >= 0.4 * len(words)
    assert {char for word in words for char in word.text} <= set(CHARACTERS)
    assert len({(word.source, word.box) for word in words}) == len(words)
    assert {word.half for word in words} == {"choosing", "reporting"}


def test_a_row_without_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("source,kind,x,y,width,height,turns,text\nlfw/a.jpg,photo,0,0,10,10,0,\n")
    with pytest.raises(ValueError, match="line 2"):
        read_words(path)


def test_cutting_turns_clockwise_and_stays_inside() -> None:
    picture = np.arange(48, dtype=np.uint8).reshape(6, 8)
    upright = cut(picture, Word("a", "photo", (2, 1, 3, 4), 0, "x"))
    turned = cut(picture, Word("a", "photo", (2, 1, 3, 4), 1, "x"))
    assert upright.tolist() == picture[1:5, 2:5].tolist()
    assert turned.tolist() == [[upright[3 - across, down] for across in range(4)] for down in range(3)]
    with pytest.raises(ValueError, match="leaves the picture"):
        cut(picture, Word("a", "photo", (6, 0, 3, 2), 0, "x"))


def test_words_of_the_test_data_are_inside_their_photos(test_data: Path) -> None:
    words = [word for word in read_words() if word.source.split("/")[0] in TEST_DATA]
    lines = cut_all(words, test_data, test_data)
    assert len(lines) == len(words) > 40
    assert all(one.shape[0] == HEIGHT and one.std() > 2 for one in lines)


def test_lines_and_batches_keep_proportions() -> None:
    wide = line(np.full((64, 200, 3), 9, np.uint8))
    assert wide.shape == (HEIGHT, 100)
    batch, steps = to_batch([wide, line(np.eye(16, 30, dtype=np.uint8))])
    assert batch.shape == (2, 1, HEIGHT, 100)
    assert steps.tolist() == [25, 15]
    assert not batch[1, 0, :, 60:].any()


@given(st.text(alphabet=CHARACTERS, max_size=12), st.lists(st.integers(1, 3), min_size=12, max_size=12))
def test_decoding_undoes_repetition_and_blanks(text: str, times: list[int]) -> None:
    classes = [0]
    for char, often in zip(text, times, strict=False):
        classes += [CHARACTERS.index(char) + 1] * often + [0]
    assert decode(np.array(classes, np.int64)) == text


@given(st.text(alphabet="abc", max_size=6), st.text(alphabet="abc", max_size=6))
def test_edits_are_those_of_the_definition(one: str, other: str) -> None:
    @cache
    def slow(left: int, right: int) -> int:
        if not left or not right:
            return left + right
        swap = slow(left - 1, right - 1) + (one[left - 1] != other[right - 1])
        return min(slow(left - 1, right) + 1, slow(left, right - 1) + 1, swap)

    assert edits(one, other) == slow(len(one), len(other))


def test_measures_and_their_intervals() -> None:
    words = [Word(f"p{i // 2}", "photo" if i < 4 else "screen", (0, 0, 9, 9), 0, "Stop") for i in range(8)]
    right = judge(["Stop"] * 6 + ["stop", "St"], words)
    assert summary(right) == {"words_right": 0.75, "words_right_any_case": 0.875, "character_error_rate": 0.0938}
    draws = redrawn(right, [word.source for word in words], 500)
    assert draws.shape == (500, 3)
    assert abs(draws[:, 0].mean() - 0.75) < 0.03
    rows = list(report({"a": [right, right], "b": [judge([""] * 8, words)]}, words))
    gap = next(row for row in rows if row["what"] == "difference" and row["words"] == "all")
    assert gap["words_right"] == 0.75
    assert gap["interval"]["words_right"][0] > 0


def test_texts_are_single_words_that_can_be_written() -> None:
    texts = draw_texts(["stop", "way", "Almond", "no!", "naïve"], 300, seed=1)
    assert len(texts) == 300
    assert all(0 < len(text) <= LONGEST and set(text) <= set(CHARACTERS) for text in texts)
    assert {"STOP", "Stop", "stop"} <= set(texts)
    assert texts == draw_texts(["stop", "way", "Almond", "no!", "naïve"], 300, seed=1)
