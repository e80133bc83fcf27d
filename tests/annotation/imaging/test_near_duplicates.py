from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotation.imaging.dhash import dhash, hamming
from annotation.imaging.near_duplicates import groups, near_pairs
from tests.annotation.imaging.pictures import gradient


def brute_groups(hashes: list[int], distance: int) -> list[int]:
    group = list(range(len(hashes)))
    changed = True
    while changed:
        changed = False
        for i, a in enumerate(hashes):
            for j, b in enumerate(hashes):
                near = bin((a ^ b) & (2**64 - 1)).count("1") <= distance
                if near and group[i] != group[j]:
                    group[i] = group[j] = min(group[i], group[j])
                    changed = True
    return group


# Few bits set, so that near pairs are common.
HASHES = st.lists(st.sets(st.integers(0, 63), max_size=4), max_size=25).map(
    lambda rows: [int(np.uint64(sum(1 << bit for bit in row)).astype(np.int64)) for row in rows]
)


@given(HASHES, st.integers(0, 4))
def test_groups_are_those_of_brute_force(hashes: list[int], distance: int) -> None:
    array = np.array(hashes, np.int64)
    ids = np.arange(len(hashes), dtype=np.int64) + 100
    got = groups(ids, np.full(len(ids), -1), near_pairs(array, distance=distance))
    assert got.tolist() == [group + 100 for group in brute_groups(hashes, distance)]


@given(HASHES, st.data())
def test_adding_photos_in_steps_gives_the_same_groups(hashes: list[int], data: st.DataObject) -> None:
    array = np.array(hashes, np.int64)
    ids = np.arange(len(hashes), dtype=np.int64) + 1
    cut = data.draw(st.integers(0, len(hashes)))
    known = np.full(len(ids), -1)
    known[:cut] = groups(ids[:cut], known[:cut], near_pairs(array[:cut]))
    fresh = np.arange(len(ids)) >= cut
    stepwise = groups(ids, known, near_pairs(array, fresh))
    assert stepwise.tolist() == groups(ids, np.full(len(ids), -1), near_pairs(array)).tolist()


def test_dhash_survives_scaling_and_jpeg_and_tells_pictures_apart() -> None:
    random = np.random.default_rng(1)
    picture = cv2.resize(
        random.integers(0, 255, (12, 12, 3), dtype=np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC
    )
    smaller = cv2.resize(picture, (300, 225), interpolation=cv2.INTER_AREA)
    encoded = cv2.imdecode(cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)
    other = cv2.resize(random.integers(0, 255, (12, 12, 3), dtype=np.uint8), (640, 480))
    near, far = (int(hamming(np.int64(dhash(picture)), np.int64(dhash(image)))) for image in (encoded, other))
    assert near <= 3
    assert far > 12


def test_dhash_is_what_its_definition_says() -> None:
    grey = cv2.cvtColor(cv2.resize(gradient(90, 80), (9, 8), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    bits = "".join("1" if row[i + 1] > row[i] else "0" for row in grey.tolist() for i in range(8))
    assert dhash(gradient(90, 80)) % 2**64 == int(bits, 2)
