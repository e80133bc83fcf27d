"""`loupe synth aim` and `trial` from their arguments to their calls and what they print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import loupe.client
import pytest
from loupe.cli.main import main

YAML = "# Aimed at 40 faces.\nall_of:\n  effects: []\n"
RESULTS: dict[str, dict[str, Any]] = {
    "aims": {"yaml": YAML, "words": ["Aimed at 40 faces."], "title": "dark (brightness at most 70)", "recipe": {}},
    "synthetic-trials": {
        "parts": [{"part": "dark", "far": 0.01, "faces": 40, "real_only": 0.8, "with_synthetic": 0.9, "gain": 0.1}],
        "words": ["dark: better for sure."],
    },
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str, Any]]:
    """The calls that a server got which answers both routes with a job that has ended."""
    made: list[tuple[str, str, Any]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/")
        made.append((request.method, path, json.loads(request.content) if request.content else None))
        if request.method == "POST":
            return httpx.Response(202, json={"id": 8 if path == "aims" else 9})
        job = {"id": 8, "title": "Aim", "state": "finished", "units_done": 1, "units_failed": 0, "units_total": 1}
        return httpx.Response(200, json=job | {"result": RESULTS["aims" if path == "jobs/8" else "synthetic-trials"]})

    real = httpx.Client

    def client(**options: Any) -> httpx.Client:
        return real(**{**options, "transport": httpx.MockTransport(serve)})

    monkeypatch.setattr(loupe.client.httpx, "Client", client)
    monkeypatch.setenv("LOUPE_URL", "http://loupe.test")
    monkeypatch.setenv("LOUPE_TOKEN", "secret")
    return made


def test_aim_writes_the_recipe(calls: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "deep" / "aimed.yaml"
    assert main(["synth", "aim", "--dataset", "people@v1", "--slice", "dark", "--out", str(file)]) == 0
    assert file.read_text() == YAML
    assert calls[0] == (
        "POST",
        "aims",
        {"dataset": "people@v1", "slice": "dark", "split": "val_blackbox", "seed": 0},
    )
    assert main(["synth", "aim", "--dataset", "people@v1"]) == 0
    told = capsys.readouterr()
    assert "all_of:" in told.out and "brightness at most 70" in told.out
    assert main(["synth", "aim", "--dataset", "people@v1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == RESULTS["aims"]["title"]


def test_trial_names_its_data_and_tells_the_gain(calls: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["synth", "trial", "--dataset", "people@v1", "--extra", "a@v1", "--extra", "b@v2", "--aim", "8"]
    assert main(words) == 0
    assert calls[0] == (
        "POST",
        "synthetic-trials",
        {"dataset": "people@v1", "extras": ["a@v1", "b@v2"], "slice": "", "split": "val_blackbox", "aim": 8},
    )
    told = capsys.readouterr()
    assert "0.9" in told.out and "better for sure" in told.out + told.err
    with pytest.raises(SystemExit):
        main(["synth", "trial", "--dataset", "people@v1"])
