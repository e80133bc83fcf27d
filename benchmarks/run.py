"""`make bench`: every benchmark at a small size, one after the other. Photos come from LOUPE_TEST_DATA."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DATA = Path(os.environ.get("LOUPE_TEST_DATA", "../shared/data"))
LFW = str(DATA / "lfw" / "photos")

# (module and arguments, whether it needs photos)
COMMANDS: list[tuple[list[str], bool]] = [
    (["clustering", "exact", "--n", "2000", "--seeds", "1"], True),
    (["clustering", "speed", "--n", "10000", "--against", "fastcluster"], False),
    (["clustering", "scale", "--n", "50000"], False),
    (["arrivals", "--n", "50000", "--new", "500"], False),
    (["decisions", "--faces", "10000", "--sizes", "10,1000", "--repeats", "3"], False),
    (["cluster_grid"], False),
    (["training"], False),
    (["embedding", "--pairs", str(DATA / "lfw" / "pairs.csv")], True),
    (["detection"], True),
    (["quality", "--pairs", str(DATA / "lfw" / "pairs.csv")], True),
    (["ingest", "--photos", LFW, "--small", "100", "--large", "10"], True),
    (["clustering", "quality", "--least-photos", "4"], True),
    (["arrivals", "--photos", LFW, "--least-photos", "4"], True),
    (["answers", "--photos", LFW, "--least-photos", "4", "--answers", "10"], True),
    (["suspects", "--photos", LFW], True),
    (["suspects_planted", "--photos", LFW, "--tuning", "--seeds", "1"], True),
    (["review", "replay", "--photos", LFW, "--tuning", "--people", "150", "--decisions", "10", "--every", "5"], True),
    (["review", "serve", "--faces", "20000", "--clusters", "1000", "--seconds", "10"], False),
]


def main() -> int:
    """Run them all; the number of those that failed."""
    failed = 0
    for command, wants_photos in COMMANDS:
        if wants_photos and not DATA.is_dir():
            sys.stderr.write(f"{command[0]}: skipped, {DATA} is missing; set LOUPE_TEST_DATA.\n")
            continue
        sys.stderr.write(f"# {' '.join(command)}\n")
        failed += bool(subprocess.run([sys.executable, "-m", f"benchmarks.{command[0]}", *command[1:]]).returncode)
    return failed


if __name__ == "__main__":
    sys.exit(main())
