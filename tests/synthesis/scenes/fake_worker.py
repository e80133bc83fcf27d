"""Speaks the worker's protocol without Blender. It does `how` with a spec the first `bad` times that it sees it.

Each time is a line, its process id, in the file `tries`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any


def misbehave(how: str) -> None:
    match how:
        case "crash":
            print("Segmentation fault, they said", flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            sys.exit(3)
        case "hang":
            time.sleep(600)
        case "grow":
            held = b"x" * (300 << 20)
            time.sleep(600)
            del held


def main() -> None:
    replies = os.fdopen(int(sys.argv[1]), "w")
    os.set_inheritable(int(sys.argv[2]), False)

    def reply(answer: Any) -> None:
        replies.write((answer if isinstance(answer, str) else json.dumps(answer)) + "\n")
        replies.flush()

    reply({"ready": "fake"})
    print("chatter on stdout that is none of the protocol's")
    for number, line in enumerate(sys.stdin, 1):
        request = json.loads(line)
        spec = request["spec"]
        tries = Path(spec["tries"])
        with tries.open("a") as file:
            file.write(f"{os.getpid()}\n")
        if len(tries.read_text().splitlines()) <= spec.get("bad", 0):
            match spec["how"]:
                case "problem":
                    reply({"problem": "ValueError: no such thing", "trace": "...", "number": request["number"]})
                    continue
                case "garble":
                    reply("{nonsense")
                    continue
                case "stale":
                    reply({"number": request["number"] - 1})
                    continue
                case how:
                    misbehave(how)
        if request["command"] == "rays":
            reply({"seen": [x + y for x, y in request["pixels"]], "number": request["number"]})
            continue
        (Path(request["out"]) / "made").write_text(spec["name"])
        reply({"name": spec["name"], "pid": os.getpid(), "nth": number, "number": request["number"]})


if __name__ == "__main__":
    main()
