"""What is expensive to open and kept for the life of a process: the decoding workers, a detector, an embedder."""

from __future__ import annotations

import atexit
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings

from annotation.imaging.decoder_pool import DecoderPool
from models_zoo.detection import Detector, YuNet
from models_zoo.embedding import Embedder, open_embedder
from models_zoo.models import ModelRelease
from models_zoo.services import local_weights

T = TypeVar("T")
_KEPT = 3  # networks
_lock = threading.Lock()
# By process: what was opened before a fork is of no use after it.
_decoders: dict[int, DecoderPool] = {}
_open: OrderedDict[tuple[int, str], object] = OrderedDict()


def decoders() -> DecoderPool:
    """This process's decoding workers."""
    with _lock:
        if os.getpid() not in _decoders:
            _decoders[os.getpid()] = _start_decoders()
        return _decoders[os.getpid()]


def detector_of(release: ModelRelease) -> Detector:
    """The open detector of a release."""
    return _kept(release.digest, lambda: YuNet(local_weights(release)))


def embedder_of(release: ModelRelease) -> Embedder:
    """The open embedder of a release, on the device that the settings name."""
    return _kept(release.digest, lambda: open_embedder(local_weights(release), device=settings.LOUPE_DEVICE))


def _start_decoders() -> DecoderPool:
    pool = DecoderPool(workers=max(1, min(4, os.cpu_count() or 1)))
    atexit.register(pool.close)
    return pool


def _kept(digest: str, make: Callable[[], T]) -> T:
    key = os.getpid(), digest
    with _lock:
        if key not in _open:
            _open[key] = make()
            while len(_open) > _KEPT:
                _open.popitem(last=False)
        _open.move_to_end(key)
        return _open[key]  # type: ignore[return-value]  # a digest always stands for one type
