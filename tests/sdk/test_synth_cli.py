"""`loupe synth` from its arguments to its calls and what it writes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import loupe.client
import pytest
from loupe.cli import synth
from loupe.cli.main import main

RUN = {"id": 3, "title": "text", "seed": 7, "count": 20, "format": "text_recognition", "made": 20, "failed": 0}
RUN |= {"version": None, "recipe": {"text_lines": {}}, "source_dataset": None, "images_per_minute": 900.0}
JOB = {"id": 9, "title": "Synthesise text", "state": "finished", "units_done": 1, "units_failed": 0, "units_total": 1}
NUMBER = {
    "path": "text_lines.height",
    "kind": "whole_range",
    "value": [32, 64],
    "least": 16.0,
    "greatest": 512.0,
    "words": [],
}
WORD = {
    "path": "words.list",
    "kind": "word",
    "value": "latin",
    "least": None,
    "greatest": None,
    "words": ["greek", "latin"],
}
RECIPE = {"name": "text", "about": "Text.", "yaml": "text_lines: {}\n", "settings": [NUMBER, WORD]}
ITEM = {"index": 5, "seed": 7, "image": base64.b64encode(b"png").decode(), "code": "", "reason": "", "labels": {}}


class Served:
    """A server that starts runs, asks once whether a large one is meant, and makes one sample."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.item: dict[str, Any] = ITEM
        self.run: dict[str, Any] = {**RUN, "job": JOB}
        self.failed: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/")
        body = json.loads(request.content) if request.content else None
        self.calls.append((request.method, path, body))
        if path == "synthesis/preview":
            return httpx.Response(202, json={"items": [], "job": 4, "job_state": "running", "unfinished": True})
        if path == "synthesis/previews/4":
            return httpx.Response(200, json={"items": [self.item], "job": 4, "unfinished": False})
        if path == "synthesis/runs" and request.method == "POST":
            if body["count"] > 1000 and not body["confirm"]:
                return httpx.Response(409, json={"code": "confirmation_needed", "detail": "That is much. Confirm."})
            return httpx.Response(202, json=self.run)
        if path == "synthesis/runs/3/failed":
            return httpx.Response(200, json={"results": self.failed, "next": None})
        if path == "jobs/9/units":
            return httpx.Response(200, json={"results": [{"key": "000002", "error": "No paint."}], "next": None})
        if path == "synthesis/runs/3/retry":
            return httpx.Response(202, json={"job": 10})
        if path == "synthesis/recipes/text":
            return httpx.Response(200, json=RECIPE)
        return httpx.Response(200, json=self.run["job"] if path.startswith("jobs/") else self.run)


@pytest.fixture
def served(here: Any, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setenv("LOUPE_URL", "https://loupe.test")
    monkeypatch.setenv("LOUPE_TOKEN", "secret")
    found, plain = Served(), httpx.Client
    make: Callable[..., httpx.Client] = lambda **given: plain(**{**given, "transport": httpx.MockTransport(found)})  # noqa: E731
    monkeypatch.setattr(loupe.client.httpx, "Client", make)
    monkeypatch.setattr(synth.time, "sleep", lambda seconds: None)
    return found


def test_a_run_is_asked_for_as_it_was_typed(served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--set", "height=32..48", "--set", "list=a=b", "--format", "webdataset", "--most-bytes", "5000"]
    assert main(["synth", "run", "text", "--count", "20", "--seed", "7", *words]) == 0
    assert served.calls[-1][2] == {
        "recipe": "text",
        "seed": 7,
        "changes": {"height": "32..48", "list": "a=b"},
        "count": 20,
        "confirm": False,
        "format": "webdataset",
        "most_bytes": 5000,
    }
    assert "Synthesise" not in capsys.readouterr().err
    recipe = tmp_path / "dark.yaml"
    recipe.write_text("text_lines: {}")
    assert main(["synth", "run", str(recipe), "--count", "20", "--source", "people@v1", "--json"]) == 0
    body = served.calls[-1][2]
    assert (body["recipe"], body["title"], body["source_dataset"]) == ("text_lines: {}", "dark", "people@v1")
    assert main(["synth", "run", "text", "--count", "2", "--set", "height"]) == 2
    assert main(["synth", "run", "--count", "2"]) == 2


def test_a_watched_run_tells_what_became_of_it(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["synth", "run", "text", "--count", "20", "--watch"]) == 0
    assert "state" in (told := capsys.readouterr().out) and "finished" in told
    assert main(["synth", "run", "text", "--count", "20", "--watch", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == served.run


def test_a_recipe_shows_what_its_settings_may_be(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["synth", "show", "text"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# Text.\ntext_lines: {}\n")
    assert [line.split() for line in shown.splitlines()[-2:]] == [
        ["text_lines.height", "whole_range", "32,", "64", "16", "to", "512"],
        ["words.list", "word", "latin", "greek,", "latin"],
    ]


def test_a_large_run_needs_a_yes(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["synth", "run", "text", "--count", "1000000"]) == 1  # nobody to ask
    assert main(["synth", "run", "text", "--count", "1000000", "--yes"]) == 0
    monkeypatch.setattr(synth.sys.stdin, "isatty", lambda: True, raising=False)
    for answer, code in (("n", 2), ("", 2), ("y", 0)):
        monkeypatch.setattr("builtins.input", lambda prompt, answer=answer: answer)
        assert main(["synth", "run", "text", "--count", "1000000"]) == code
    assert served.calls[-1][2]["confirm"] is True


def test_a_run_with_failed_items_has_an_exit_code_of_its_own(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    served.run = {**RUN, "made": 18, "failed": 2, "job": {**JOB, "state": "finished_with_errors"}}
    served.failed = [{"index": n, "seed": 7, "code": "no_paint", "reason": f"Grey {n} is out."} for n in (4, 9)]
    assert main(["synth", "run", "text", "--count", "20", "--watch"]) == 8
    told = capsys.readouterr().err
    assert "Item 4 of seed 7 could not be made: Grey 4 is out." in told
    assert "Item 9 of seed 7" in told
    assert "Finished with errors: 2 of 20 images could not be made. Try again: loupe synth retry 3" in told
    assert main(["synth", "run", "text", "--count", "20", "--watch", "--json"]) == 8
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "job_finished_with_errors"
    assert main(["synth", "failed", "3", "--json"]) == 0
    assert [row["index"] for row in json.loads(capsys.readouterr().out)] == [4, 9]
    assert main(["synth", "status", "3"]) == 0
    assert "Item 9 of seed 7 could not be made" in capsys.readouterr().err
    assert main(["synth", "retry", "3"]) == 0
    assert served.calls[-1][:2] == ("POST", "synthesis/runs/3/retry")


def test_shards_that_failed_as_a_whole_are_told(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.run = {**RUN, "job": {**JOB, "state": "finished_with_errors", "units_failed": 1}}
    assert main(["synth", "run", "text", "--count", "20", "--watch"]) == 8
    told = capsys.readouterr().err
    assert "000002: No paint." in told
    assert "0 of 20 images could not be made, and 1 shard failed as a whole." in told
    served.run = {**RUN, "job": {**JOB, "state": "failed", "error": "Blender is missing."}}
    assert main(["synth", "run", "text", "--count", "20", "--watch"]) == 7
    told = capsys.readouterr().err
    assert "Blender is missing." in told
    assert "Job 9 failed." in told


def test_one_item_is_made_alone(served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "some" / "it.png"
    assert main(["synth", "sample", "--run", "3", "--index", "5", "--out", str(out)]) == 0
    asked = next(body for method, path, body in served.calls if path == "synthesis/preview")
    assert (asked["recipe"], asked["seed"], asked["first"], asked["count"]) == ({"text_lines": {}}, 7, 5, 1)
    assert out.read_bytes() == b"png"
    changed = ["--set", "height=40", "--seed", "0", "--source", "people@v2"]
    assert main(["synth", "sample", "--run", "3", *changed, "--out", str(out)]) == 0
    asked = [body for method, path, body in served.calls if path == "synthesis/preview"][-1]
    assert (asked["recipe"], asked["changes"], asked["seed"]) == ({"text_lines": {}}, {"height": "40"}, 0)
    assert asked["source_dataset"] == "people@v2"
    assert main(["synth", "sample", "text", "--run", "3", "--out", str(out)]) == 2
    assert main(["synth", "sample", "--run", "3", "--set", "height", "--out", str(out)]) == 2
    assert json.loads(out.with_suffix(".json").read_text())["index"] == 5
    served.item = {**ITEM, "image": "", "code": "no_paint", "reason": "Grey has run out."}
    assert main(["synth", "sample", "text", "--out", str(tmp_path / "no.png")]) == 1
    told = capsys.readouterr().err
    assert told.endswith("Item 5 of seed 7: Grey has run out.\n")
    assert not (tmp_path / "no.png").exists()


def test_what_is_there_is_not_overwritten(served: Served, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    assert main(["synth", "run", "text", "--count", "20", "--out", str(tmp_path)]) == 2
    assert main(["synth", "pull", "3", "--out", str(tmp_path)]) == 2
    assert served.calls == []
    assert main(["synth", "pull", "3", "--out", str(tmp_path / "new")]) == 4  # it has made no version yet
