"""Made-up rows in bulk: faces in clusters of people, labels, and open questions about them, written by the database.

All faces share one pack of painted crops. There are no vectors: nothing here clusters.
"""

from __future__ import annotations

import hashlib

import psycopg
from django.db import connection

from annotation.imaging.pack import encode_crop, write_pack
from annotation.models import ClusterRun, Collection, CropPack, EmbeddingSpace
from annotation.services.label_jobs import request_labels
from config.embedded import postgres
from config.embedded.layout import Layout
from foundation import blobs
from jobs.services import run_to_end
from mining.models import ReviewBatch
from tests.factories import make_releases, painted

CROPS = 1000
ALONE = 0.1  # of the faces are in no cluster

# {faces}, {clustered}, {clusters}: how many; the others are ids of rows that are there already.
ROWS = """
INSERT INTO annotation_photo (id, digest, blob, bytes, mime, width, height, orientation, state, error_code, error,
                              created_at)
SELECT n, lpad(to_hex(n), 64, '0'), '{original}', 1000, 'image/jpeg', 320, 240, 1, 'ready', '', '', now()
FROM generate_series(1, {faces}) n;
INSERT INTO annotation_collectionphoto (collection_id, photo_id, path, seen_at)
SELECT {collection}, n, 'album/' || n || '.jpg', now() FROM generate_series(1, {faces}) n;
INSERT INTO annotation_face (id, photo_id, detector_id, ordinal, x, y, width, height, landmarks, score, size_px,
                             sharpness, brightness, contrast, yaw, pitch, roll, quality, pack_id, row, "offset",
                             length, digest, created_at)
SELECT n, n, {detector}, 0, 98, 20, 124, 168, '{{120,80,180,80,150,110,125,150,175,150}}', 0.9, 124, 0.5, 0.5, 0.4,
       0, 0, 0, 0.3 + (n::bigint * 7919 % 700) / 1000.0, {pack}, n - 1, c.at, c.length, c.digest, now()
FROM generate_series(1, {faces}) n JOIN crops c ON c.number = n % {crops};
INSERT INTO annotation_identity (id, name, origin, revision, faces_count, cover_id, created_at)
SELECT n, CASE WHEN n % 3 = 0 THEN 'Person ' || n ELSE '' END, 'auto', 0, 0, NULL, now()
FROM generate_series(1, {clusters}) n;
CREATE TEMPORARY TABLE places ON COMMIT DROP AS
SELECT n AS face, 1 + floor({clusters} * power(n / ({clustered} + 1.0), 1.6))::bigint AS cluster
FROM generate_series(1, {clustered}) n;
INSERT INTO annotation_cluster (id, run_id, ordinal, size, diameter, widest_a_id, widest_b_id, medoid_id, identity_id)
SELECT cluster, {run}, row_number() OVER (ORDER BY count(*) DESC, min(face)) - 1, count(*), 0.5, min(face), max(face),
       min(face), cluster FROM places GROUP BY cluster;
INSERT INTO annotation_clustermember (run_id, cluster_id, face_id, similarity)
SELECT {run}, cluster, face, 0.4 + (face::bigint * 6151 % 600) / 1000.0 FROM places;
INSERT INTO annotation_clustermember (run_id, cluster_id, face_id, similarity)
SELECT {run}, NULL, n, NULL FROM generate_series({clustered} + 1, {faces}) n;
INSERT INTO annotation_label (face_id, identity_id, source, confidence, reason, run_id)
SELECT face, cluster, 'auto', 0.8, '', {run} FROM places;
INSERT INTO annotation_label (face_id, identity_id, source, confidence, reason, run_id)
SELECT n, NULL, 'auto', 0, 'singleton', {run} FROM generate_series({clustered} + 1, {faces}) n;
UPDATE annotation_identity i SET faces_count = c.size, cover_id = c.medoid_id FROM annotation_cluster c
WHERE c.id = i.id;
INSERT INTO mining_reviewitem (batch_id, ordinal, faces, identities, value, settles, why, evidence, gold, state)
SELECT {batch}, c.id - 1, ARRAY[c.medoid_id, d.medoid_id], ARRAY[c.identity_id, d.identity_id], 1.0 / c.id, c.size,
       'Made up', '{{}}', '', 'open'
FROM annotation_cluster c JOIN annotation_cluster d ON d.id = c.id % {clusters} + 1;
"""
SERIALS = ("photo", "face", "identity", "cluster")


def fill(layout: Layout, *, faces: int, clusters: int) -> ReviewBatch:
    """So many faces in so many clusters of 1 face and more, and a question about each cluster and the next."""
    detector, embedder = make_releases()
    space = EmbeddingSpace.objects.create(release=embedder, dimension=128, state="live")
    run = ClusterRun.objects.create(
        space=space,
        state="done",
        current=True,
        parameters={"rules": {"min_size": 1, "min_quality": 0.0, "confident_at": 0.6, "doubtful_at": 0.4}},
        metrics={"labels": {"settled": 0}},  # they follow from the empty ledger
    )
    batch = ReviewBatch.objects.create(strategy="pairs_near_threshold", asks="pair", run=run)
    pack, places = _pack(faces)
    collection = Collection.objects.create(name="Album", slug="album")
    text = ROWS.format(
        faces=faces,
        clusters=clusters,
        clustered=int(faces * (1 - ALONE)),
        crops=CROPS,
        original=blobs.put("originals", next(iter(painted(1))).jpeg),
        collection=collection.pk,
        detector=detector.pk,
        pack=pack.pk,
        run=run.pk,
        batch=batch.pk,
    )
    name = connection.settings_dict["NAME"]
    # The owner of the server may leave out the checks of references, which are right by construction.
    with psycopg.connect(host=str(layout.runtime), user=postgres.OWNER, dbname=name) as owner, owner.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("CREATE TEMPORARY TABLE crops (number int, at bigint, length int, digest text)")
        with cursor.copy("COPY crops FROM STDIN") as copy:
            for row in places:
                copy.write_row(row)
        cursor.execute(text)
        for table in SERIALS:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('annotation_{table}', 'id'), max(id)) FROM annotation_{table}"  # noqa: S608
            )
        owner.commit()
        owner.autocommit = True
        cursor.execute("ANALYZE")
        settle()
        cursor.execute("VACUUM FULL ANALYZE")
    return batch


def settle() -> None:
    """Labels as the job leaves them, so that the first one of the benchmark does not write them all."""
    job = request_labels(patient=True)
    assert job is not None
    run_to_end(job_id=job.pk)


def _pack(faces: int) -> tuple[CropPack, list[tuple[int, int, int, str]]]:
    """One pack that stands for all of them, and (number, offset, length, digest) of its crops."""
    members = [(f"{number}.png", encode_crop(picture.crop)) for number, picture in enumerate(painted(CROPS))]
    packed = write_pack(members)
    pack = CropPack.objects.create(
        digest=hashlib.sha256(packed.data).hexdigest(),
        blob=blobs.put("packs", packed.data),
        faces_count=faces,
        bytes=len(packed.data),
    )
    return pack, [(number, one.offset, one.length, one.digest) for number, one in enumerate(packed.crops)]
