"""Runs: the same bytes whoever made them, nothing half-made, synthetic rows where they belong."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.models import DatasetVersion
from annotation.services.datasets import VersionRefused, freeze
from annotation.services.extra_versions import publish_extra
from foundation import blobs
from foundation.errors import Conflict, InvalidInput, LoupeError, NotFound, StorageFull
from jobs import services as jobs
from jobs.models import Job
from jobs.queries import units_of
from synthesis.job_kinds import Synthesise
from synthesis.models import SynthesisRun
from synthesis.queries import failed_shards
from synthesis.recipes import registry
from synthesis.samples import make_sample
from synthesis.services import estimates, runs, shards
from synthesis.services.runs import can_retry, retry_run, shard_size, start_run
from synthesis.services.shards import make_shard
from synthesis.services.sheets import cells_of, sheet_of
from synthesis.text import fonts
from synthesis.text.lines import TextLines
from synthesis.writers import tar
from tests.synthesis.made_runs import TEXT, Grey, files_of, run_of, version_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_place(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"location": str(tmp_path / "blobs")}
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    monkeypatch.setitem(registry.PARTS, "grey", "tests.synthesis.made_runs.Grey")
    monkeypatch.setattr(Grey, "repaired", False)
    monkeypatch.setattr(runs, "LEAST_SHARDS", 1)


def test_a_run_becomes_a_version_in_train_extra(only_pillow_fonts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TextLines, "shard_size", lambda self: 10)
    run = run_of(TEXT, name="words")
    version = version_of(run)
    assert run.job is not None
    assert (run.job.state, run.job.units_total, run.job.weight_total) == ("finished", 3, 25)
    assert (str(version), version.counts) == ("words@v1", {"train_extra": {"images": 25}})
    assert {shard["split"] for shard in version.shards} == {"train_extra"}
    assert version.parameters["seed"] == 7
    assert version.parameters["recipe"] == "text_lines:\n  corpus:\n    codes: {alphabet: ABC123}\n"
    assert version.parameters["generator_digest"] == run.generator_digest
    files = files_of(version)
    assert sorted(files) == [f"images/{index:09d}.png" for index in range(25)] + ["labels.csv", "labels.parquet"]
    rows = pq.read_table(blobs.local_path(version.manifest_blob)).to_pylist()
    assert {row["path"]: row["digest"] for row in rows} == files
    assert {row["split"] for row in rows} == {"train_extra"}
    where = {shard["digest"]: shard["blob"] for shard in version.shards}
    first = next(row for row in rows if row["path"].endswith("000.png"))
    assert blobs.read_range(where[first["shard"]], first["offset"], 4) == b"\x89PNG"


def test_labels_are_those_of_one_writer(only_pillow_fonts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TextLines, "shard_size", lambda self: 10)
    many = version_of(run_of(TEXT, name="many"))
    monkeypatch.setattr(TextLines, "shard_size", lambda self: 100)
    one = version_of(run_of(TEXT, name="one"))
    parted, whole = files_of(many), files_of(one)
    assert parted.keys() == whole.keys()
    differ = {path for path in whole if parted[path] != whole[path]}
    assert differ <= {"labels.parquet"}  # its row groups are the shards


def test_the_same_bytes_in_whatever_order_shards_are_made() -> None:
    first = version_of(run_of({"grey": {}}, name="first"))
    second = start_run(recipe={"grey": {}}, count=25, seed=7, name="second")
    assert second.job is not None
    for ordinal in (2, 0, 0):  # a worker that died after it had stored a shard, and one that did it again
        make_shard(run=second, ordinal=ordinal)
    jobs.run_to_end(job_id=second.job.pk)
    second.refresh_from_db()
    assert version_of(second).digest == first.digest
    other = version_of(run_of({"grey": {}}, name="first", seed=8))
    assert (str(other), other.digest == first.digest) == ("first@v2", False)
    again = version_of(run_of({"grey": {}}, name="first", seed=8))
    assert again.pk == other.pk


def test_small_runs_are_spread_over_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LEAST_SHARDS", 16)
    assert [shard_size(10, count) for count in (1, 12, 17, 50, 1000)] == [1, 1, 2, 4, 10]


def test_a_failed_item_is_listed_and_the_rest_goes_on() -> None:
    run = run_of({"grey": {"broken": [0, 40]}}, name="some")
    failed = list(run.failed_items.values_list("index", "code", "reason"))
    assert failed
    assert all(code == "no_paint" and "has run out" in reason for _, code, reason in failed)
    made = 25 - len(failed)
    assert version_of(run).counts == {"train_extra": {"images": made}}
    assert run.job is not None
    assert run.job.result["failed_items"] == len(failed)  # type: ignore[index]
    assert (run.job.state, run.job.units_failed) == ("finished_with_errors", 0)
    told = {unit.key: unit.error for unit in units_of(run.job.pk, with_errors=True)}
    assert len(told) == run.shards.exclude(failed=0).count()
    first, reason = failed[0][0], failed[0][2]
    assert any(f"images could not be made; the first, item {first}: {reason}" in error for error in told.values())


def test_retrying_the_job_makes_failed_items_too_whatever_its_limit_of_time() -> None:
    run = run_of({"grey": {"broken": [0, 40]}}, name="some", most_seconds=3600)
    assert run.job is not None
    kept = set(run.shards.filter(failed=0).values_list("pk", flat=True))
    SynthesisRun.objects.filter(pk=run.pk).update(most_seconds=1e-9)
    Grey.repaired = True
    jobs.retry_failed(job_id=run.job.pk)
    job = jobs.run_to_end(job_id=run.job.pk)
    assert (job.state, job.error) == ("finished", "")
    assert not units_of(job.pk, with_errors=True).exists()
    assert not run.failed_items.exists()
    assert kept <= set(run.shards.values_list("pk", flat=True))
    run.refresh_from_db()
    assert version_of(run).counts == {"train_extra": {"images": 25}}


def test_a_shard_without_one_image_is_told_by_its_items() -> None:
    run = start_run(recipe={"grey": {}}, count=25, seed=7, name="some")
    assert run.job is not None
    SynthesisRun.objects.filter(pk=run.pk).update(recipe={"grey": {"broken": [0, 255]}})
    job = jobs.run_to_end(job_id=run.job.pk)
    run.refresh_from_db()
    assert job.state == "failed"
    assert [(one.first, one.last) for one in failed_shards(run)] == [(0, 9), (10, 19), (20, 24)]
    assert "has run out" in failed_shards(run)[0].reason
    assert can_retry(run)


def test_failed_items_made_later_give_the_whole_set() -> None:
    run = run_of({"grey": {"broken": [0, 40]}}, name="some")
    partial = version_of(run)
    Grey.repaired = True
    job = retry_run(run=run)
    kept = run.shards.filter(failed=0).count()
    jobs.run_to_end(job_id=job.pk)
    assert Job.objects.get(pk=job.pk).units_total == run.shards_total - kept
    run.refresh_from_db()
    assert not run.failed_items.exists()
    assert (str(version_of(run)), str(partial)) == ("some@v2", "some@v1")
    assert files_of(version_of(run)) == files_of(version_of(run_of({"grey": {"broken": [0, 40]}}, name="whole")))
    with pytest.raises(Conflict, match="Nothing of this run failed"):
        retry_run(run=run)


def test_where_nothing_can_be_made_the_reason_is_told_at_once() -> None:
    with pytest.raises(LoupeError, match="has run out"):
        start_run(recipe={"grey": {"broken": [0, 255]}}, count=25, seed=7)
    assert not Job.objects.exists()


def test_a_full_disk_leaves_nothing_and_the_job_goes_on_later(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start_run(recipe={"grey": {}}, count=25, seed=7, name="full")
    assert run.job is not None

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(tar.tarfile, "open", full)
        job = jobs.run_to_end(job_id=run.job.pk)
    assert (job.state, job.error_code) == ("failed", "storage_full")
    assert "The disk is full" in job.error
    assert not run.shards.exists()
    assert not DatasetVersion.objects.exists()
    jobs.retry_failed(job_id=job.pk)
    assert jobs.run_to_end(job_id=job.pk).state == "finished"
    run.refresh_from_db()
    assert version_of(run).counts == {"train_extra": {"images": 25}}


def test_a_missing_shard_is_never_published(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of({"grey": {}}, name="holes")
    run.shards.filter(ordinal=1).delete()
    assert run.job is not None
    with pytest.raises(Conflict, match="1 of 3 shards"):
        Synthesise().finish(run.job)


def test_a_sheet_spans_the_run_and_grows_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Grey, "shard_size", lambda self: 1)
    run = start_run(recipe={"grey": {}}, count=25, seed=7, name="many")
    with pytest.raises(NotFound):
        cells_of(run)
    make_shard(run=run, ordinal=0)
    assert len(cells_of(run)) == 1
    assert run.job is not None
    jobs.run_to_end(job_id=run.job.pk)
    shown = list(run.shards.exclude(sheet_blob="").order_by("ordinal").values_list("ordinal", flat=True))
    assert shown == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]
    sheet = cv2.imdecode(np.frombuffer(sheet_of(cells_of(run)), np.uint8), cv2.IMREAD_COLOR)
    assert sheet is not None
    assert sheet.shape == (3 * 248, 4 * 248 + 8, 3)
    greys = [make_sample(Grey(), 7, ordinal).labels["grey"] for ordinal in shown]
    assert [sheet[124 + 248 * (at // 4), 128 + 248 * (at % 4), 0] for at in range(12)] == greys
    few = run_of({"grey": {}}, name="few", count=3)
    assert len(cells_of(few)) == 3


def test_limits_cut_off_the_end() -> None:
    whole = run_of({"grey": {}}, name="whole")
    sizes = list(whole.shards.values_list("bytes", flat=True))
    cut = run_of({"grey": {}}, name="cut", most_bytes=sizes[0] + sizes[1])
    assert version_of(cut).counts == {"train_extra": {"images": 20}}
    shown = files_of(version_of(whole))
    assert {path: digest for path, digest in shown.items() if "000002" not in path} == files_of(version_of(cut))
    late = start_run(recipe={"grey": {}}, count=25, seed=7, name="late", most_seconds=3600)
    assert late.job is not None
    make_shard(run=late, ordinal=0)
    SynthesisRun.objects.filter(pk=late.pk).update(most_seconds=1e-9)
    job = jobs.run_to_end(job_id=late.job.pk)
    assert (job.state, job.result["images"]) == ("finished", 10)  # type: ignore[index]


def test_what_is_large_wants_a_second_word(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageFull, match=r"only .* are free") as refused:
        start_run(recipe={"grey": {}}, count=10**12, seed=7)
    assert refused.value.facts["estimate"]["images"] == 10**12
    monkeypatch.setattr(estimates, "free_bytes", lambda: None)
    with pytest.raises(Conflict, match="Confirm") as asked:
        start_run(recipe={"grey": {}}, count=10**9, seed=7)
    assert asked.value.code == "confirmation_needed"
    found = asked.value.facts["estimate"]
    assert found["images"] == 10**9
    assert found["bytes"] > 10**9
    assert found["seconds"] > 0
    assert not SynthesisRun.objects.exists()
    run = start_run(recipe={"grey": {}}, count=10**9, seed=7, confirm=True)
    assert run.shards_total <= 20_000
    assert sum(len(run.indices(ordinal)) for ordinal in range(run.shards_total)) == 10**9


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"recipe": "nonsense"}, "unknown_recipe"),
        ({"recipe": {"grey": {"hue": 3}}}, "unknown_setting"),
        ({"recipe": {"grey": {"broken": [9, 3]}}}, "range_reversed"),
        ({"recipe": "a: &a [1]\nb: *a"}, "bad_recipe"),
        ({"recipe": {"noise": {"read": [1, 2], "shot": [0, 1]}}}, "source_needed"),
        ({"recipe": {"prices": {}}}, "bad_recipe"),
        ({"count": 0}, "bad_count"),
        ({"seed": -1}, "bad_seed"),
        ({"split": "train"}, "bad_split"),
        ({"format": "oil"}, "unknown_format"),
        ({"format": "text_recognition"}, "format_unfit"),
        ({"name": "No Name"}, "bad_name"),
        ({"source": "people@v1"}, "unknown_dataset"),
        ({"changes": {"shade": 1}}, "unknown_setting"),
        ({"changes": {"broken": "9..3"}}, "range_reversed"),
    ],
)
def test_bad_wishes_start_nothing(given: dict[str, Any], code: str) -> None:
    with pytest.raises((InvalidInput, NotFound)) as refused:
        start_run(**{"recipe": {"grey": {}}, "count": 5, "seed": 1, **given})
    assert refused.value.code == code
    assert not Job.objects.exists()


def mixed(*lines: dict[str, Any]) -> dict[str, Any]:
    """A recipe most of whose samples are plain codes."""
    others = [{"text_lines": {"corpus": {"codes": {}}, **one}} for one in lines]
    return {"mixture": {"generators": [TEXT, *others], "shares": [1000, *[1] * len(others)]}}


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        ({"fonts": ["Nowhere Sans"]}, "font_missing", "family Nowhere Sans"),
        ({"corpus": {"words": {"list": "greek"}}}, "glyph_missing", r"\(U\+03..\), .* and \d+ more, which the recipe"),
        ({"corpus": {"prices": {"currencies": ["₾"]}}}, "glyph_missing", r"write ₾ \(U\+20BE\), which the recipe"),
        ({"corpus": {"words": {"own": ["שלום"]}}}, "needs_shaping", "needs shaping"),
        ({"corpus": {"weights": {"units": ["ק"]}}}, "needs_shaping", "needs shaping"),
        ({"corpus": {"words": {"own": [" "]}}}, "unknown_words", "at least one"),
        ({"corpus": {"words": {"list": "elvish"}}}, "out_of_bounds", "list: 'elvish' is unknown"),
    ],
)
def test_what_a_rare_sample_needs_is_looked_for_before_any_is_made(
    lines: dict[str, Any], code: str, said: str, only_pillow_fonts: None
) -> None:
    with pytest.raises((InvalidInput, NotFound), match=said) as refused:
        start_run(recipe=mixed(lines), count=5, seed=1)
    assert refused.value.code == code
    assert not Job.objects.exists()


def test_other_code_than_at_the_start_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start_run(recipe={"grey": {}}, count=25, seed=7)
    assert run.job is not None
    monkeypatch.setattr(shards, "run_facts", lambda generator: ("0" * 64, {"numpy": "99"}))
    job = jobs.run_to_end(job_id=run.job.pk)
    assert (job.state, job.error_code) == ("failed", "generator_changed")
    assert "numpy" in job.error


def test_other_fonts_than_at_the_start_are_refused(
    pillow_fonts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    font = (Path(pillow_fonts) / "aileron.ttf").read_bytes()
    (tmp_path / "one.ttf").write_bytes(font)
    monkeypatch.setattr(fonts, "SYSTEM_DIRECTORIES", (str(tmp_path),))
    fonts.open_shelf.cache_clear()
    run = start_run(recipe=TEXT, count=3, seed=7)
    assert run.job is not None
    assert run.generator["fonts"].startswith("1 face of 1 family, ")
    (tmp_path / "two.ttf").write_bytes(font)
    job = jobs.run_to_end(job_id=run.job.pk)
    assert (job.state, job.error_code) == ("failed", "generator_changed")
    assert "fonts: 2 faces of 1 family" in job.error
    (tmp_path / "two.ttf").unlink()
    again = start_run(recipe=TEXT, count=3, seed=7)
    assert again.generator_digest == run.generator_digest
    fonts.open_shelf.cache_clear()


def test_synthetic_and_real_never_share_a_name_or_a_split(tmp_path: Path) -> None:
    with pytest.raises(VersionRefused, match="what rounds call"):  # before there is any version of it
        start_run(recipe={"grey": {}}, count=5, seed=1, name="people")
    DatasetVersion.objects.create(name="friends", version=1, state="published", counts={"train": {"faces": 3}})
    with pytest.raises(VersionRefused, match="holds real faces"):
        start_run(recipe={"grey": {}}, count=5, seed=1, name="friends")
    run_of({"grey": {}}, name="greys")
    with pytest.raises(Conflict, match="synthetic rows only"):
        freeze(name="greys")
    manifest = tmp_path / "manifest.parquet"
    for split in ("train", "test", "val_blackbox"):
        pq.write_table(pa.table({"split": ["train_extra", split]}), manifest)
        with pytest.raises(VersionRefused, match=split):
            publish_extra(
                name="mixed", manifest=manifest, shards=[], counts={"train_extra": {"images": 2}}, parameters={}
            )
    assert not DatasetVersion.objects.filter(name="mixed").exists()


def test_an_estimate_is_not_taken_in_by_the_first_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    made: list[int] = []

    def make(generator: Grey, seed: int, index: int) -> int:
        if index == 1:
            raise InvalidInput("no such glyph")
        now[0] += 0.5 if index < 4 else 0.01
        made.append(index)
        return index

    monkeypatch.setattr(estimates, "try_sample", make)
    monkeypatch.setattr(estimates.time, "perf_counter", lambda: now[0])
    kept, each = estimates._some_samples(Grey(), 7, 10**6)
    assert each == pytest.approx(0.01)
    assert now[0] == pytest.approx(estimates.SECONDS, abs=0.1)
    assert kept == made[: estimates.SAMPLES]
    _, slow = estimates._some_samples(Grey(), 7, 3)
    assert slow == pytest.approx(0.5)
