"""`loupe clustering` from its arguments to its calls and what it prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import loupe.client
import pytest
from loupe.cli.main import main

RUN = {
    "id": 5,
    "state": "preview",
    "current": False,
    "kept": True,
    "release": "sface@v1",
    "job": 17,
    "parameters": {"core_distance": 0.52, "merge_similarity": None},
    "metrics": {"faces": 900, "clusters": 80, "alone": 12, "labels": {"changed": 34}},
    "created_at": "2026-01-01T00:00:00Z",
    "finished_at": None,
}
DIFFERENCE = {"before": 4, "after": 5, "faces": 900, "moved": 7, "split": 2, "merged": 1, "bcubed_f": 0.98}
JOB = {"id": 17, "kind": "cluster", "title": "Cluster", "units_done": 1, "units_failed": 0, "units_total": 1}


class Served:
    """A server with one run, which remembers the calls and their bodies."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.states = ["running", "finished"]
        self.problem: tuple[int, str] | None = None
        self.applied: int | None = 18

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/")
        body = json.loads(request.content) if request.content else dict(request.url.params)
        self.calls.append((request.method, path, body))
        if path.endswith("/difference"):
            if self.problem:
                status, code = self.problem
                return httpx.Response(status, json={"code": code, "detail": "No."})
            return httpx.Response(200, json=DIFFERENCE)
        if path.startswith("jobs/"):
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            if path.endswith("/units"):
                return httpx.Response(200, json={"results": [], "next": None})
            return httpx.Response(200, json={**JOB, "state": state, "message": "", "error": ""})
        if path == "clusterings":
            if request.method == "POST":
                return httpx.Response(202, json={"job": 17})
            return httpx.Response(200, json={"results": [{**RUN, "id": 6, "job": 19}, RUN], "next": None})
        if path.endswith("/apply"):
            return httpx.Response(202, json={"job": self.applied})
        return httpx.Response(200, json=RUN)


@pytest.fixture
def served(here: Any, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setenv("LOUPE_URL", "https://loupe.test")
    monkeypatch.setenv("LOUPE_TOKEN", "secret")
    found, plain = Served(), httpx.Client
    make: Callable[..., httpx.Client] = lambda **given: plain(**{**given, "transport": httpx.MockTransport(found)})  # noqa: E731
    monkeypatch.setattr(loupe.client.httpx, "Client", make)
    monkeypatch.setattr(loupe.client.time, "sleep", lambda seconds: None)
    return found


def test_a_list_is_a_table_or_what_the_server_said(served: Served, capsys: Any) -> None:
    assert main(["clustering", "list"]) == 0
    table = capsys.readouterr().out
    assert "changed" in table and "34" in table and "sface@v1" in table
    assert main(["clustering", "list", "--limit", "1", "--json"]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [6]


def test_a_run_is_shown_with_what_it_changes(served: Served, capsys: Any) -> None:
    assert main(["clustering", "show", "5"]) == 0
    captured = capsys.readouterr()
    assert "0.52" in captured.out and "moved" in captured.out and "Against run 4" in captured.err
    assert main(["clustering", "show", "5", "--against", "3", "--json"]) == 0
    assert served.calls[-1] == ("GET", "clusterings/5/difference", {"against": "3"})
    assert json.loads(capsys.readouterr().out) == {**RUN, "difference": DIFFERENCE}


def test_nothing_to_compare_is_no_failure_unless_it_was_asked_for(served: Served, capsys: Any) -> None:
    served.problem = (409, "nothing_to_compare")
    assert main(["clustering", "show", "5"]) == 0
    assert "no other run" in capsys.readouterr().err
    assert main(["clustering", "show", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["difference"] is None
    assert main(["clustering", "show", "5", "--against", "3"]) == 1
    served.problem = (404, "no_run")
    assert main(["clustering", "show", "5"]) == 4


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ([], None),
        (["--core-distance", "0.4", "--merge-similarity", "0.5"], {"core_distance": 0.4, "merge_similarity": 0.5}),
        (["--no-merges", "--no-joins"], {"merge_similarity": None, "joins": False}),
    ],
)
def test_a_preview_is_asked_for(served: Served, capsys: Any, words: list[str], settings: dict[str, Any] | None) -> None:
    assert main(["clustering", "preview", *words]) == 0
    expected = {"preview": True} if settings is None else {"preview": True, "settings": settings}
    assert served.calls == [("POST", "clusterings", expected)]
    assert "17" in capsys.readouterr().out


def test_waiting_for_a_preview_tells_what_it_changes(served: Served, capsys: Any) -> None:
    assert main(["clustering", "preview", "--wait", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)  # one object, though a job was followed
    assert (told["id"], told["difference"]) == (5, DIFFERENCE)
    served.states = ["failed"]
    assert main(["clustering", "preview", "--wait"]) == 7
    assert "failed" in capsys.readouterr().out


def test_applying_and_dropping(served: Served, capsys: Any) -> None:
    assert main(["clustering", "apply", "5"]) == 0
    assert served.calls == [("POST", "clusterings/5/apply", {})] and "18" in capsys.readouterr().out
    assert main(["clustering", "apply", "5", "--wait", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "finished"
    served.applied = None
    assert main(["clustering", "apply", "5", "--wait"]) == 0
    assert "current one already" in capsys.readouterr().out
    assert main(["clustering", "drop", "5"]) == 0
    assert served.calls[-1] == ("POST", "clusterings/5/drop", {})


def test_senseless_calls_are_refused(capsys: Any) -> None:
    for words in (["preview", "--no-merges", "--merge-similarity", "0.5"], ["show", "x"], []):
        with pytest.raises(SystemExit) as caught:
            main(["clustering", *words])
        assert caught.value.code == 2
