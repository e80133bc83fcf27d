"""What must hold whatever was said: everything derived is what a slow reading of the whole ledger says it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db.models import Min

from accounts.models import User
from accounts.roles import Capability, roles_that_can
from annotation.ledger.labels import Rules
from annotation.models import (
    Cluster,
    ClusterMember,
    ClusterRun,
    Collection,
    CollectionPhoto,
    Constraint,
    Decision,
    Face,
    Identity,
    Label,
)
from annotation.queries.decisions import ledger_entries
from mining.models import ReviewItem, ReviewLease, ReviewVote
from mining.queries import batches
from mining.vote_queries import OF_FACES
from tests.annotation.ledger.oracle import Oracle
from tests.annotation.machine.slow_labels import Row, SlowLabels

EVERYTHING = (Decision, Label, Identity, Constraint, Cluster, ClusterMember, ReviewItem, ReviewVote, ReviewLease)


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows that a refused action must leave as they are."""
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in EVERYTHING}


def ledger_rows() -> list[tuple[Any, ...]]:
    """Every entry with all its fields, oldest first."""
    return list(Decision.objects.order_by("pk").values_list())


def read_ledger() -> Oracle:
    return Oracle(ledger_entries())


def last_persons(applied: ClusterRun | None = None) -> dict[int, int]:
    """What labelling starts from: labels that no person gave or that lie beneath what people say, and those that a run
    gave when it was current before."""
    found: dict[int, int] = {}
    for label in Label.objects.all():
        person = label.identity_id if label.source == "auto" and label.identity_id else label.given_id
        if person is not None:
            found[label.face_id] = person
    if applied is not None:
        outside = {label.face_id for label in Label.objects.exclude(given_as="")}
        then = dict(applied.members.exclude(cluster__identity=None).values_list("face_id", "cluster__identity_id"))
        found.update({face: person for face, person in then.items() if face not in outside})
    return found


def check_labels(oracle: Oracle, previous: dict[int, int], before: dict[int, Label]) -> None:
    """Labels, clusters' persons and pairs are those of the slow reading.

    Args:
        previous: `last_persons` before they were made anew; `before`: the labels then, by face.
    """
    entries = ledger_entries()
    run = ClusterRun.objects.filter(current=True).first()
    rules = run.parameters.get("rules", {}) if run else {}
    given = {face: label.given_id for face, label in before.items() if label.given_as and label.given_id}
    slow = SlowLabels(oracle, entries, _rows(run, oracle, given), previous, rules or asdict(Rules()), given)
    known = set(run.members.values_list("face_id", flat=True)) if run else set()
    labels = {label.face_id: label for label in Label.objects.all()}
    made: dict[int, int] = {}
    for face in Face.objects.order_by("pk").values_list("pk", flat=True):
        label, shown = labels.get(face), slow.shown.get(face)
        if shown is None or (face not in known and shown.reason == "singleton"):
            assert label is None or (label.identity_id, label.source) == (None, "auto"), (face, vars(label))
        else:
            assert label is not None, face
            if shown.person is not None and shown.person < 0:
                assert made.setdefault(shown.person, label.identity_id or 0) == label.identity_id, face
                assert label.identity_id not in previous.values()
            else:
                assert label.identity_id == shown.person, (face, vars(label), shown)
            source = "human" if shown.human else before[face].given_as if shown.outside and face in given else "auto"
            assert (label.source, label.reason) == (source, shown.reason), (face, vars(label), shown)
            if shown.human or shown.outside or shown.person is None:
                assert label.confidence == float(shown.person is not None)
    assert len(set(made.values())) == len(made)
    for cluster in Cluster.objects.filter(run=run):
        person = slow.named.get(cluster.pk)
        assert cluster.identity_id == (made.get(person) if person is not None and person < 0 else person)
    pairs = {(kind, a, b, entry) for entry, kind, a, b in oracle.accepted if kind in (1, 3)}
    kinds = {"must": 1, "cannot": 3}
    rows = Constraint.objects.values_list("kind", "face_a_id", "face_b_id", "decision_id")
    assert {(kinds[kind], a, b, entry) for kind, a, b, entry in rows} == pairs


def _rows(run: ClusterRun | None, oracle: Oracle, given: Mapping[int, int]) -> list[Row]:
    prior = CollectionPhoto.objects.filter(collection__prior=Collection.Prior.PROFILE).order_by()
    profiles = dict(prior.values_list("photo").annotate(first=Min("collection")))
    members = {member.face_id: member for member in ClusterMember.objects.filter(run=run)} if run else {}
    rows = []
    for face in Face.objects.all():
        member = members.get(face.pk)
        if member is not None or face.pk in {*given, *oracle.aside} or oracle.person(face.pk) is not None:
            cluster, similarity = (member.cluster_id or 0, member.similarity or 0.0) if member else (0, 0.0)
            profile = profiles.get(face.photo_id, 0)
            rows.append(Row(face.pk, face.photo_id, cluster, similarity, face.quality, profile))
    return rows


def check_people(oracle: Oracle) -> None:
    """Numbers of faces, covers, names and merges."""
    faces = Counter(Label.objects.exclude(identity=None).values_list("identity_id", flat=True))
    cover_of = dict(Label.objects.filter(face__in=Identity.objects.values("cover")).values_list("face", "identity"))
    for person in Identity.objects.all():
        root = oracle.root.get(person.pk, person.pk)
        assert person.merged_into_id == (None if root == person.pk else root), person.pk
        assert person.faces_count == faces[person.pk], person.pk
        assert (person.cover_id is None) == (not faces[person.pk]), person.pk
        assert person.cover_id is None or cover_of[person.cover_id] == person.pk
        if person.merged_into_id is None:
            assert person.name == _name(oracle, person), vars(person)


def _name(oracle: Oracle, person: Identity) -> str:
    """Their own last name; without one, the last among those of people merged into them; else the one from outside."""
    last = {entry.identity: entry for entry in oracle.active if entry.kind == "rename"}
    own = last.pop(person.pk, None)
    if own is not None and own.text:
        return own.text
    theirs = [entry for who, entry in last.items() if entry.text and oracle.root.get(who or 0) == person.pk]
    if theirs:
        return max(theirs, key=lambda entry: entry.id).text
    return "" if own is not None else person.external_key or ""


def check_merges(oracle: Oracle) -> None:
    """Who became whom holds at once, without any job, be it in several steps."""
    into = dict(Identity.objects.values_list("pk", "merged_into"))
    for person in into:
        became = person
        while (further := into[became]) is not None:
            became = further
        assert became == oracle.root.get(person, person), person


def check_clusters() -> None:
    """Sizes, order, medoids and widest pairs of the clusters of every run whose clusters are kept."""
    for run in ClusterRun.objects.all():
        members: dict[int, list[int]] = {}
        for face, cluster in run.members.exclude(cluster=None).values_list("face_id", "cluster_id"):
            members.setdefault(cluster, []).append(face)
        clusters = list(run.clusters.order_by("ordinal"))
        assert {cluster.pk for cluster in clusters} == members.keys()
        assert [cluster.ordinal for cluster in clusters] == list(range(len(clusters)))
        ranks = [(-cluster.size, min(members[cluster.pk])) for cluster in clusters]
        assert ranks == sorted(ranks)
        for cluster in clusters:
            assert cluster.size == len(members[cluster.pk]) >= 2
            assert {cluster.medoid_id, cluster.widest_a_id, cluster.widest_b_id} <= set(members[cluster.pk])
    assert ClusterRun.objects.filter(current=True).count() == 1


def check_questions(oracle: Oracle) -> None:
    """Questions are closed by decisions that hold and by nothing else, and batches count what is left."""
    active = {entry.id for entry in oracle.active}
    decisions = {decision.pk: decision for decision in Decision.objects.all()}
    answered = set()
    everybody = set(User.objects.filter(role__in=roles_that_can(Capability.REVIEW)).values_list("pk", flat=True))
    current = ClusterRun.objects.get(current=True).pk
    for item in ReviewItem.objects.select_related("batch").prefetch_related("votes"):
        votes = [vote for vote in item.votes.all() if vote.withdrawn_at is None]
        given = [vote for vote in votes if vote.answer != "skip"]
        assert len({vote.user_id for vote in votes}) == len(votes)
        left = everybody - {vote.user_id for vote in votes}
        holds = item.decision_id in active
        of_cluster = item.batch.asks == "cluster"  # closed for good when another run becomes the current one
        assert not (of_cluster and item.batch.run_id != current and item.state in ("open", "disputed")), item.pk
        if item.gold and not (
            holds and {vote.answer for vote in given} & {*OF_FACES}
        ):  # what is said of faces is written
            assert not holds and (item.state != "answered" or given)
        elif item.state in ("answered", "obsolete") and (holds or not of_cluster):
            assert holds, (item.pk, item.state)
            own = decisions[item.decision_id].evidence.get("item") == item.pk
            assert own == (item.state == "answered"), (item.pk, item.state)
        else:
            assert not holds and (item.state != "obsolete" or of_cluster), (item.pk, item.state)
        if item.state == "disputed":
            assert len(given) >= item.batch.overlap > 1
        if item.state == "open":
            assert len(given) < item.batch.overlap, item.pk
            assert given or not votes or left, item.pk
        if item.state == "skipped":
            assert votes and not given and not left
        if item.state == "answered" and holds:
            answered.add(decisions[item.decision_id].action)
        for vote in votes:
            assert vote.decision_id is None or vote.decision_id in active, (item.pk, vote.pk)
    said = {one.action for one in decisions.values() if one.pk in active and one.evidence.get("item")}
    assert said == answered
    check_batches()


def check_batches() -> None:
    for batch in batches():
        items = list(ReviewItem.objects.filter(batch=batch.pk))
        states = Counter(item.state for item in items)
        votes = Counter(
            ReviewVote.objects.filter(item__batch=batch.pk, withdrawn_at=None)
            .exclude(answer="skip")
            .values_list("item_id", flat=True)
        )
        left = sum(batch.overlap - votes[item.pk] for item in items if item.state == "open") + states["disputed"]
        counted = (batch.total, batch.open_items, batch.disputed_items, batch.answers_left)
        assert counted == (len(items), states["open"], states["disputed"], left)
