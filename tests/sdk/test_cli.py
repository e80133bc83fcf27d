"""The `loupe` command from its arguments to its exit code."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import loupe.client
import pytest
from loupe.cli.main import main
from loupe.cli.output import Output, size

Reply = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def serve(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Reply], None]:
    """`serve(handler)`: the command talks to this handler, signed in."""
    monkeypatch.setenv("LOUPE_URL", "https://loupe.test")
    monkeypatch.setenv("LOUPE_TOKEN", "secret")
    plain = httpx.Client

    def install(handler: Reply) -> None:
        def make(**arguments: Any) -> httpx.Client:
            return plain(**{**arguments, "transport": httpx.MockTransport(handler)})

        monkeypatch.setattr(loupe.client.httpx, "Client", make)
        monkeypatch.setattr(loupe.client.time, "sleep", lambda seconds: None)

    return install


ME = {"id": 1, "username": "anna", "role": "manager", "capabilities": ["jobs"]}


def test_login_from_standard_input(serve: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    tokens: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        tokens.append(request.headers["Authorization"])
        return httpx.Response(200, json=ME)

    serve(handler)
    monkeypatch.delenv("LOUPE_TOKEN")
    monkeypatch.setattr("sys.stdin", io.StringIO("typed\n"))
    assert main(["login", "loupe.test"]) == 0
    assert tokens == ["Bearer typed"]
    out = capsys.readouterr().out
    assert "anna (manager)" in out
    assert "typed" not in out
    assert json.loads((tmp_path / "config" / "credentials.json").read_text())["token"] == "typed"
    assert main(["whoami", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == ME
    assert main(["logout"]) == 0


def test_a_refused_token_is_not_stored(serve: Any, capsys: Any, tmp_path: Path) -> None:
    serve(lambda request: httpx.Response(401, json={"code": "invalid_token", "detail": "No."}))
    assert main(["login", "loupe.test"]) == 3
    assert not (tmp_path / "config" / "credentials.json").exists()
    assert "secret" not in "".join(capsys.readouterr())


def test_the_token_has_no_option(capsys: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["login", "loupe.test", "--token", "x"])
    assert caught.value.code == 2


def test_without_signing_in(here: Path, capsys: Any) -> None:
    assert main(["jobs", "list"]) == 3
    assert "loupe login" in capsys.readouterr().err
    assert main(["--json", "jobs", "list"]) == 3
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "not_signed_in"


def job(state: str, done: int = 0) -> dict[str, Any]:
    return {
        "id": 17, "kind": "ingest", "title": "Ingest", "state": state, "units_done": done, "units_failed": 0,
        "units_total": 3, "message": "", "error": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("end", "code"), [("finished", 0), ("finished_with_errors", 8), ("failed", 7), ("cancelled", 7)]
)
def test_watch_follows_to_the_end(serve: Any, capsys: Any, end: str, code: int) -> None:
    answers = [job("queued"), job("running", 1), job("running", 2), job(end, 3)]

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/units"):
            return httpx.Response(200, json={"results": [{"key": "7", "error": "Broken file."}], "next": None})
        return httpx.Response(200, json=answers.pop(0) if len(answers) > 1 else answers[0])

    serve(handler)
    assert main(["jobs", "watch", "17"]) == code
    captured = capsys.readouterr()
    assert ("Broken file." in captured.err) == (code > 0)
    assert "%" not in captured.err  # no bar in a pipe
    answers[:] = [job(end, 3)]
    assert main(["jobs", "watch", "17", "--json"]) == code
    assert json.loads(capsys.readouterr().out)["state"] == end


def test_tables_in_a_pipe_hold_whole_values_and_plain_numbers(capsys: Any) -> None:
    name = "a-name-" * 40
    row = {"name": name, "reason": f"It {'really ' * 40}failed.", "rate": 1234.5678, "share": 0.000012345}
    output = Output(as_json=False)
    output.rows([row], ("name", "reason", "rate", "share"), "")
    output.pairs(row, ("name", "rate"))
    (head, line, *pairs) = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "reason", "rate", "share"]
    assert line.split() == [name, *row["reason"].split(), "1235", "1.234e-05"]
    assert [pair.split() for pair in pairs] == [["name", name], ["rate", "1235"]]


def test_one_long_value_does_not_fill_the_other_lines_with_blanks(capsys: Any) -> None:
    output = Output(as_json=False)
    output.pairs({"state": "done", "verdict": "x" * 500}, ["state", "verdict"])
    output.rows([{"name": "x" * 300, "n": 1}, {"name": "y", "n": 2}], ["n", "name"], "none")
    lines = capsys.readouterr().out.splitlines()
    assert [len(line.split()) for line in lines] == [2, 2, 2, 2, 2]
    assert lines[0].split() == ["state", "done"] and all(line == line.rstrip() for line in lines)


def test_tables_on_a_terminal_fold_and_cut_nothing(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    Output(as_json=False).rows([{"name": "x" * 70}], ("name",), "")
    assert capsys.readouterr().out.count("x") == 70


def test_lists_end_where_asked(serve: Any, capsys: Any) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        cursor = int(request.url.params.get("cursor", 0))
        rows = [{**job("finished"), "id": cursor * 2 + i} for i in range(2)]
        return httpx.Response(200, json={"results": rows, "next": f"?cursor={cursor + 1}"})

    serve(handler)
    assert main(["--json", "jobs", "list", "--limit", "5"]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [0, 1, 2, 3, 4]
    assert main(["jobs", "list", "--limit", "1"]) == 0
    assert "ingest" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "method", "path"),
    [
        (["jobs", "cancel", "17"], "POST", "jobs/17/cancel"),
        (["jobs", "retry", "17"], "POST", "jobs/17/retry"),
        (["jobs", "show", "17"], "GET", "jobs/17"),
        (["rounds", "start"], "POST", "rounds"),
        (["rounds", "show", "2"], "GET", "rounds/2"),
        (["mine", "run"], "POST", "mining-runs"),
        (["mine", "run", "--diversity", "0.5"], "POST", "mining-runs"),
        (["mine", "run", "--overlap", "2", "--gold", "0.05", "--seed", "7"], "POST", "mining-runs"),
    ],
)
def test_actions_and_their_calls(serve: Any, capsys: Any, words: list[str], method: str, path: str) -> None:
    seen: list[tuple[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.path))
        return httpx.Response(202, json={**job("queued"), "number": 2, "job": 17})

    serve(handler)
    assert main(words) == 0
    assert main([*words, "--json"]) == 0
    assert seen == [(method, f"/api/v1/{path}")] * 2


def test_a_mining_run_says_what_it_was_given(serve: Any, capsys: Any) -> None:
    bodies: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            bodies.append(json.loads(request.content))
            return httpx.Response(202, json={"job": 17})
        return httpx.Response(200, json=job("finished"))

    serve(handler)
    assert main(["mine", "run", "clusters", "--strategy", "merges", "--strategy", "label_suspects", "--wait"]) == 0
    assert "finished" in capsys.readouterr().out
    assert main(["mine", "run", "--diversity", "0.5", "--budget", "7", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"job": 17}
    assert bodies == [{"strategies": ["clusters", "merges", "label_suspects"]}, {"budget": 7, "diversity": 0.5}]
    options = ["--option", "faces=1..3", "--option", "rare_identities.candidates=2"]
    assert main(["mine", "run", "--strategy", "rare_identities", *options]) == 0
    assert bodies[-1]["options"] == {"rare_identities": {"faces": "1..3", "candidates": "2"}}
    for words in (["--option", "faces=1..3"], ["--strategy", "clusters", "--option", "faces"]):
        assert main(["mine", "run", *words]) != 0
        assert "STRATEGY.NAME=VALUE" in capsys.readouterr().err
    assert len(bodies) == 3


def test_mining_runs_are_listed_and_shown(serve: Any, capsys: Any) -> None:
    states = {"open": 3, "answered": 5}
    labels = {"decisions": 7, "moved": 12, "joined": 2}
    run = {
        "id": 17,
        "state": "finished",
        "questions": 8,
        "states": states,
        "minutes_left": 0.4,
        "job": {"created_by": "digger", "created_at": "2026-11-20T10:00:00Z"},
        "picked": [
            {
                "batch": 4,
                "strategy": "merges",
                "states": states,
                "report": {
                    "considered": 90,
                    "candidates": 20,
                    "picked": 8,
                },
            }
        ],
        "reasons": {"told apart once": 8},
    }
    changed = {
        "labels": labels,
        "purity": {"before": 0.98, "after": None},
        "model": {"version": "people@v3", "release": "sface-ft@v4"},
    }
    strategy = {"name": "merges", "asks": "merge", "usual": True, "seconds": 9.0, "options": [{"name": "faces"}]}

    def handler(request: httpx.Request) -> httpx.Response:
        end = request.url.path.rpartition("/")[2]
        bodies = {
            "mining-runs": {"results": [run, {**run, "id": 16}], "next": None},
            "mining-strategies": {"strategies": [strategy]},
            "17": {**run, "changed": changed},
        }
        return httpx.Response(200, json=bodies[end])

    serve(handler)
    assert main(["mine", "list", "--limit", "1"]) == 0
    shown = capsys.readouterr().out
    assert "digger" in shown and "17" in shown and "16" not in shown
    assert main(["mine", "list", "--json"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == [17, 16]
    assert main(["mine", "show", "17"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("told apart once", "0.9800 -> unknown", "sface-ft@v4", "moved"))
    assert main(["mine", "show", "17", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"]["labels"] == labels
    assert main(["mine", "strategies"]) == 0
    assert "merges" in capsys.readouterr().out


def test_rounds_go_on_until_labels_settle(serve: Any, capsys: Any) -> None:
    bodies: list[Any] = []
    watched: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            bodies.append(json.loads(request.content))
            return httpx.Response(202, json={"number": 2, "job": 17})
        watched.append(request.url.path.rpartition("/")[2])
        following = 18 if watched[-1] == "17" else None
        return httpx.Response(200, json={**job("finished", 3), "result": {"next_job": following}})

    serve(handler)
    assert main(["rounds", "start", "--until-settled", "4", "--share", "0.01", "--watch"]) == 0
    assert bodies == [{"parameters": {"until_settled": {"rounds": 4, "share": 0.01}}}]
    assert watched == ["17", "18"]
    assert main(["rounds", "start", "--extra", "aimed@v1", "--extra", "far"]) == 0
    assert bodies[1:] == [{"parameters": {"extras": ["aimed@v1", "far"]}}]


def test_pull(serve: Any, server: Any, pulled_source: Any, here: Path, capsys: Any) -> None:
    manifest, shards, _ = pulled_source
    described = server.add(3, manifest, shards)
    serve(server.handle)
    assert main(["datasets", "pull", "people@latest", "--to", "faces", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    total = len(manifest) + sum(map(len, shards))
    assert summary == {
        "reference": "people@v3",
        "digest": described["digest"],
        "folder": "faces",
        "bytes_received": total,
        "bytes_reused": 0,
    }
    assert main(["datasets", "pull", "people@v3", "--to", "faces"]) == 0
    assert "0 bytes received" in capsys.readouterr().out
    assert main(["datasets", "show", "people"]) == 0
    assert main(["datasets", "pull", "people@v9"]) == 4
    assert main(["datasets", "pull", "no such"]) == 2


def test_a_full_disk_is_one_sentence(serve: Any, server: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    server.add(1, b"m", [b"s"])
    serve(server.handle)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("loupe.fetch.os.fsync", full)
    assert main(["datasets", "pull", "people@v1", "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "disk_full"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (5 * 2**30, "5.0 GiB"), (2**50, "1024.0 TiB")],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
