"""The whole loop on real photos, through the command that a newcomer types, with processes and services of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PEOPLE, EACH = 45, 4


@pytest.fixture(scope="module")
def photos(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some people with a few photos each, and one file that is no photo."""
    folder: Path = tmp_path_factory.mktemp("photos")
    people = [path for path in sorted((test_data / "lfw" / "photos").iterdir()) if len(list(path.iterdir())) >= EACH]
    for person in people[:PEOPLE]:
        (folder / person.name).mkdir()
        for photo in sorted(person.iterdir())[:EACH]:
            shutil.copy(photo, folder / person.name)
    (folder / people[0].name / "broken.jpg").write_bytes(b"this is no photo")
    return folder


def demo(photos: Path, home: Path, weights: Path) -> tuple[dict[str, Any], str]:
    report = home.parent / f"{home.name}.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOUPE_")}
    environment |= {"LOUPE_HOME": str(home), "LOUPE_WEIGHTS": str(weights), "LOUPE_WORKERS": "1"}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    options = ["--truth", "folders", "--degrade", "0.3", "--rounds", "1", "--serve", "0", "--report", str(report)]
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--photos", str(photos), *options],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, Any] = json.loads(report.read_text())
    return found, done.stdout


@pytest.mark.timeout(1200)
def test_a_round_of_the_loop_on_real_photos(photos: Path, tmp_path: Path, weights_dir: Path) -> None:
    home = tmp_path / "home"
    report, shown = demo(photos, home, weights_dir)

    # Held-out people come twice, clean and degraded.
    assert report["photos"] > PEOPLE * EACH
    assert report["photos_with_faces"] >= 0.99
    assert report["photos_failed"] <= 1
    assert report["human_decisions"] == 0
    assert report["peak_rss_mb"] > 0
    assert [entry["round"] for entry in report["rounds"]] == [0, 1]
    for entry in report["rounds"]:
        for name in ("clean_clean", "degraded_clean", "degraded_degraded"):
            figure = entry["held_out"][name]
            low, high = figure["ci"]
            assert 0 <= low <= figure["tar@1e-3"] <= high <= 1
        assert entry["held_out"]["clean_clean"]["tar@1e-3"] > 0.9
        assert entry["pool"]["bcubed"]["precision"] > 0.9
        assert entry["pool"]["pairwise"].keys() == {"precision", "recall", "f"}
        assert all(seconds >= 0 for seconds in entry["seconds"].values())
    assert report["rounds"][1]["promoted"] in (True, False)
    assert report["rounds"][1]["verdict"]
    assert "degraded" in shown

    # Again: nothing starts over, and the same figures come out.
    again, _ = demo(photos, home, weights_dir)
    for name in ("held_out", "pool", "model"):
        assert [entry[name] for entry in again["rounds"]] == [entry[name] for entry in report["rounds"]]
    assert (again["photos"], again["faces"]) == (report["photos"], report["faces"])


def test_senseless_options_are_refused_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--photos", str(tmp_path / "missing")],
        cwd=REPOSITORY,
        env={**os.environ, "LOUPE_HOME": str(tmp_path / "home"), "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode != 0
    assert "is not a folder" in done.stderr
    assert "Traceback" not in done.stderr
