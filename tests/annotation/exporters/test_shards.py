from __future__ import annotations

import hashlib
import io
import tarfile

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotation.exporters.shards import OldShard, Place, Plan, plan_shards, write_shard


def png(face: str) -> bytes:
    seed = int.from_bytes(hashlib.sha256(face.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).bytes(900 + seed % 700)


def built(plan: Plan) -> tuple[dict[tuple[str, str], Place], list[OldShard], dict[str, bytes]]:
    """Write the new shards of a plan: all places, the new shards as a later version sees them, and their bytes."""
    places = {(split, face): place for split, faces in plan.kept.items() for face, place in faces.items()}
    shards, data = [], {}
    for split, faces in plan.new:
        stream = io.BytesIO()
        digest, members = write_shard(stream, [(face, png(face)) for face in faces])
        data[digest] = stream.getvalue()
        shards.append(OldShard(digest, split, len(faces), members))
        places |= {(split, face): place for face, place in members.items()}
    return places, shards, data


def test_a_shard_is_a_plain_tar_with_exact_offsets_and_steady_bytes() -> None:
    faces = [f"{number:064x}" for number in range(20)]
    streams = [io.BytesIO(), io.BytesIO()]
    (digest, places), (again, _) = (write_shard(stream, [(face, png(face)) for face in faces]) for stream in streams)
    data = streams[0].getvalue()
    assert digest == again == hashlib.sha256(data).hexdigest()
    assert len(data) % 512 == 0
    for face, place in places.items():
        assert data[place.offset : place.offset + place.length] == png(face)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert [info.name for info in tar] == [f"{face}.png" for face in faces]


@given(
    st.lists(
        st.dictionaries(st.integers(0, 40).map(lambda n: f"{n:064x}"), st.sampled_from(["train", "test"]), max_size=40),
        min_size=1,
        max_size=4,
    )
)
def test_every_wanted_face_has_one_place_in_a_shard_of_its_split(versions: list[dict[str, str]]) -> None:
    known: list[OldShard] = []
    data: dict[str, bytes] = {}
    for version in versions:
        wanted = {split: [f for f, s in version.items() if s == split] for split in ("train", "test")}
        plan = plan_shards(wanted, known, size=8)
        places, new, fresh = built(plan)
        data |= fresh
        assert set(places) == {(split, face) for face, split in version.items()}
        by_digest = {shard.digest: shard for shard in [*known, *new]}
        for (split, face), place in places.items():
            assert by_digest[place.shard].split == split
            assert data[place.shard][place.offset : place.offset + place.length] == png(face)
        used = {place.shard for place in places.values()}
        known = [
            OldShard(d, by_digest[d].split, by_digest[d].faces, {f: p for (_, f), p in places.items() if p.shard == d})
            for d in used
        ]


def test_an_unchanged_version_writes_nothing_and_one_percent_moves_at_most_three() -> None:
    faces = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(5000)]
    _, shards, data = built(plan_shards({"train": faces}, []))
    whole = sum(map(len, data.values()))
    assert plan_shards({"train": faces}, shards).new == []

    random = np.random.default_rng(1)
    gone = set(random.choice(5000, 50, replace=False).tolist())
    fresh = [hashlib.sha256(f"new {n}".encode()).hexdigest() for n in range(50)]
    changed = [face for row, face in enumerate(faces) if row not in gone] + fresh
    _, _, moved = built(plan_shards({"train": changed}, shards))
    assert sum(map(len, moved.values())) <= 0.03 * whole


def test_a_mostly_dead_shard_is_given_up() -> None:
    faces = [f"{n:064x}" for n in range(10)]
    _, shards, _ = built(plan_shards({"train": faces}, [], size=10))
    assert plan_shards({"train": faces[:5]}, shards).new == []
    assert plan_shards({"train": faces[:4]}, shards).new == [("train", faces[:4])]
