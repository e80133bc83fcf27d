from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from annotation.imaging import decoder_pool
from annotation.imaging.decode import decode
from annotation.imaging.decoder_pool import DecoderPool, Limits
from annotation.imaging.dhash import dhash
from annotation.imaging.refusal import ImageRefused
from models_zoo.alignment import TEMPLATE, align_all
from tests.annotation.imaging.pictures import encode, gradient, png_that_claims

# A worker that obeys what is written into the "picture" after the JPEG magic, and else answers like the real one.
_STUNT = """
import os, sys, time
from annotation.imaging import decode_worker
real = decode_worker._decode
def stunt(data, **limits):
    if b"HANG" in data: time.sleep(600)
    if b"SPIN" in data:
        while True: pass
    if b"CRASH" in data: os.abort()
    if b"EAT" in data: bytearray(3 << 30)
    return real(data, **limits)
decode_worker._OPERATIONS["decode"] = stunt
decode_worker.main()
"""


@pytest.fixture()
def stunt_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[DecoderPool]:
    popen = subprocess.Popen

    def instead(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return popen([sys.executable, "-c", _STUNT, *command[3:]], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(decoder_pool.subprocess, "Popen", instead)
    with DecoderPool(workers=2, limits=Limits(seconds=1, patience=3.0, megabytes=1024)) as pool:
        yield pool


def code_of(pool: DecoderPool, data: bytes) -> str:
    with pytest.raises(ImageRefused) as caught:
        pool.decode(data).result()
    return caught.value.code


def test_pool_decodes_like_the_function_and_hashes() -> None:
    pictures = [encode(gradient(60 + 7 * index, 50), "PNG") for index in range(12)]
    with DecoderPool(workers=2) as pool:
        answers = [future.result() for future in [pool.decode(data, name="x.jpg", max_side=40) for data in pictures]]
    for data, answer in zip(pictures, answers, strict=True):
        expected = decode(data, name="x.jpg", max_side=40)
        assert (answer.decoded.image == expected.image).all()
        assert (answer.decoded.width, answer.decoded.notes) == (expected.width, expected.notes)
        assert answer.dhash == dhash(expected.image)


def test_crops_are_cut_at_full_size_in_full_size_coordinates() -> None:
    picture = gradient(900, 700)
    data = encode(picture, "PNG")
    landmarks = np.stack([TEMPLATE * 2 + [300, 200], TEMPLATE * 1.5 + 20])
    with DecoderPool(workers=1) as pool:
        crops = pool.crop(data, landmarks).result()
        smaller = pool.crop(data, landmarks, max_side=450).result()
    assert np.abs(crops.astype(int) - align_all(picture, landmarks)).max() <= 1
    assert np.abs(crops.astype(int) - smaller).max() <= 4  # half the size, the same place


def test_refusals_travel_with_their_codes() -> None:
    with DecoderPool(workers=1) as pool:
        assert code_of(pool, b"") == "empty_file"
        assert code_of(pool, b"words") == "not_an_image"
        assert code_of(pool, png_that_claims(30_000, 30_000)) == "too_many_pixels"
        assert code_of(pool, encode(gradient(900, 700), "BMP")[:9000]) == "truncated"


def test_hang_crash_and_greed_cost_one_file_each(stunt_pool: DecoderPool) -> None:
    good = encode(gradient(), "PNG")
    assert stunt_pool.decode(good).result().decoded.width == 64
    evil = {"HANG": "decode_timeout", "SPIN": "decode_timeout", "CRASH": "decode_crashed", "EAT": "out_of_memory"}
    futures = [(stunt_pool.decode(b"\xff\xd8\xff" + word.encode()), code) for word, code in evil.items()]
    fine = [stunt_pool.decode(good) for _ in range(6)]
    for future, code in futures:
        with pytest.raises(ImageRefused) as caught:
            future.result(timeout=60)
        assert caught.value.code == code
    assert all(future.result(timeout=60).decoded.width == 64 for future in fine)


def test_a_killed_worker_is_replaced() -> None:
    good = encode(gradient(), "PNG")
    with DecoderPool(workers=1) as pool:
        pool.decode(good).result()
        for child in psutil.Process().children():
            if "annotation.imaging.decode_worker" in child.cmdline():
                child.send_signal(signal.SIGKILL)
                child.wait(60)
        assert code_of(pool, good) == "decode_crashed"
        assert pool.decode(good).result().decoded.width == 64


def test_workers_end_with_the_process_that_started_them() -> None:
    script = """
import sys, time
from annotation.imaging.decoder_pool import DecoderPool
from tests.annotation.imaging.pictures import encode, gradient
import psutil
pool = DecoderPool(workers=2)
[f.result() for f in [pool.decode(encode(gradient(), "PNG")) for _ in range(8)]]
print(*[child.pid for child in psutil.Process().children()], flush=True)
time.sleep(600)
"""
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=root, text=True) as parent:
        assert parent.stdout is not None
        workers = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
    assert workers
    deadline = time.monotonic() + 60
    while any(_runs(pid) for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_workers_see_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@host/name")
    with DecoderPool(workers=1) as pool:
        pool.decode(encode(gradient(), "PNG")).result()
        (child,) = [c for c in psutil.Process().children() if "annotation.imaging.decode_worker" in c.cmdline()]
        assert "DATABASE_URL" not in child.environ()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
