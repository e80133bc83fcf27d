"""The pipe protocol between a process and its decoding worker: a length, a JSON header, and raw bytes.

Both ends are ours, but the worker handles hostile files: lengths are bounded and nothing is unpickled.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any

_LENGTHS = struct.Struct("<IQ")
_MAX_HEADER = 1 << 20
_MAX_PAYLOAD = 1 << 32


class PeerGone(Exception):
    """The other end closed its pipe or sent what is not a message."""


class PeerSilent(Exception):
    """The other end did not answer before the deadline."""


def send(
    descriptor: int, header: dict[str, Any], payload: bytes | memoryview, *, deadline: float | None = None
) -> None:
    """Write one message. With a deadline (time.monotonic) the descriptor must be non-blocking."""
    text = json.dumps(header, separators=(",", ":")).encode()
    body = memoryview(payload).cast("B")
    for part in (memoryview(_LENGTHS.pack(len(text), len(body)) + text), body):
        _write(descriptor, part, deadline)


def receive(descriptor: int, *, deadline: float | None = None) -> tuple[dict[str, Any], bytearray]:
    """Read one message.

    Raises:
        PeerGone, PeerSilent.
    """
    header_bytes, payload_bytes = _LENGTHS.unpack(_read(descriptor, _LENGTHS.size, deadline))
    if header_bytes > _MAX_HEADER or payload_bytes > _MAX_PAYLOAD:
        raise PeerGone
    try:
        header = json.loads(bytes(_read(descriptor, header_bytes, deadline)))
    except ValueError as failure:
        raise PeerGone from failure
    return header, _read(descriptor, payload_bytes, deadline)


def _write(descriptor: int, data: memoryview, deadline: float | None) -> None:
    while data:
        _wait(descriptor, select.POLLOUT, deadline)
        try:
            data = data[os.write(descriptor, data[: 1 << 20]) :]
        except BlockingIOError:
            continue
        except BrokenPipeError as failure:
            raise PeerGone from failure


def _read(descriptor: int, count: int, deadline: float | None) -> bytearray:
    buffer = bytearray(count)
    view = memoryview(buffer)
    while view:
        _wait(descriptor, select.POLLIN, deadline)
        try:
            got = os.readv(descriptor, [view])
        except BlockingIOError:
            continue
        if got == 0:
            raise PeerGone
        view = view[got:]
    return buffer


def _wait(descriptor: int, event: int, deadline: float | None) -> None:
    if deadline is None:
        return
    left = deadline - time.monotonic()
    poll = select.poll()
    poll.register(descriptor, event)
    if left <= 0 or not poll.poll(left * 1000):
        raise PeerSilent
