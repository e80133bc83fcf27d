"""What the votes on a question amount to, written to the ledger, and taken back where they no longer do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import User
from annotation.ledger.entries import Kind
from annotation.models import Constraint, Decision, Identity, Label
from annotation.services.decisions import By, record, revert
from annotation.services.standing import taken_back
from mining.consensus.marks import marks_of, payload_of, weigh_marks
from mining.consensus.posterior import posterior
from mining.known.scoring import claimed
from mining.models import ErrorModel, ReviewBatch, ReviewItem, ReviewVote
from mining.services.drafts import ANSWERS, drafts_of
from mining.services.leases import yet_to_answer
from mining.vote_queries import ASIDE, OF_FACES, SKIP

State = ReviewItem.State
SURE = 0.95  # two people who are right nine times in ten and agree reach 0.99; two against one, 0.90
MISTAKEN = 0.02  # no question is held for surer than this before anybody answers
LISTED = 20  # votes written into a decision's evidence


@dataclass(frozen=True)
class Verdict:
    """The state that a question should have, and for an answered one what the answer is and how sure it is."""

    state: str
    answer: str = ""
    payload: Mapping[str, Any] | None = None
    sure: float = 1.0


def settle(item: ReviewItem, votes: Sequence[ReviewVote], *, by: User) -> None:
    """Bring a locked question, and the ledger, in line with the votes on it that hold, the latest one last."""
    verdict = _verdict(item, votes)
    if item.state == State.ANSWERED and item.decision is not None:
        if verdict.state == State.ANSWERED and verdict.answer == item.decision.evidence.get("answer"):
            return
        _take_back(item, item.decision, by)
    if verdict.state != State.ANSWERED:
        _close(item, verdict.state, None)
    elif verdict.answer in OF_FACES:
        _decide(item, verdict, votes, by)  # whatever was asked, this is news of the face
    elif item.gold:
        _act_as_if(item, verdict, votes, by)
    elif item.batch.overlap > 1 and (said := _said_directly(item)) is not None:
        _close(item, State.OBSOLETE, said)
    else:
        _decide(item, verdict, votes, by)


def rehearse(item: ReviewItem, answer: str, payload: Mapping[str, Any]) -> None:
    """Refuse now what could not be written once the last vote is in. Raises what `drafts_of` raises."""
    with transaction.atomic():
        drafts_of(item, answer, payload)
        transaction.set_rollback(True)


def _verdict(item: ReviewItem, votes: Sequence[ReviewVote]) -> Verdict:
    given = [vote for vote in votes if vote.answer != SKIP]
    wanted = item.batch.overlap
    final = next((vote for vote in given if vote.adjudicates), given[-1] if given and wanted == 1 else None)
    if final is not None:
        return Verdict(State.ANSWERED, final.answer, final.payload)
    if not given:
        return Verdict(State.SKIPPED if votes and not yet_to_answer(item.pk).exists() else State.OPEN)
    carried = _said_by_all(given) if any(vote.answer in OF_FACES for vote in given) else _carried(item, given)
    certain = carried.sure >= SURE
    if len(given) >= wanted:
        return carried if certain else Verdict(State.DISPUTED)
    # Somebody took theirs back, and the others still carry it.
    if certain and item.state == State.ANSWERED:
        return carried
    return Verdict(State.OPEN)


def _said_by_all(given: Sequence[ReviewVote]) -> Verdict:
    """What is said of faces counts only where everybody says the same."""
    said = {(vote.answer, vote.payload.get("into"), *sorted(vote.payload.get("faces", ()))) for vote in given}
    return Verdict(State.ANSWERED, given[0].answer, given[0].payload, 1.0 if len(said) == 1 else 0.0)


def _carried(item: ReviewItem, given: Sequence[ReviewVote]) -> Verdict:
    one_person = item.batch.asks == ReviewBatch.Asks.CLUSTER and {vote.answer for vote in given} == {"same"}
    pick_alike = all(vote.payload == given[0].payload for vote in given)
    return _face_by_face(given) if one_person and not pick_alike else _as_a_whole(item, given)


def _face_by_face(given: Sequence[ReviewVote]) -> Verdict:
    """Of a cluster that all take for one person, but for the faces that each picked out of it."""
    marks, sure = weigh_marks([marks_of(vote.payload) for vote in given])
    called = {(key, vote.payload[key]) for vote in given for key in ("name", "into") if vote.payload.get(key)}
    return Verdict(State.ANSWERED, "same", payload_of(marks) | dict(called), sure if len(called) < 2 else 0.0)


def _as_a_whole(item: ReviewItem, given: Sequence[ReviewVote]) -> Verdict:
    claim, sure = _weigh(item, given)
    said = {
        json.dumps([vote.answer, vote.payload], sort_keys=True): vote for vote in given if _claim(item, vote) == claim
    }
    first = next(iter(said.values()), None)
    answer, payload = (first.answer, first.payload) if first else (claim, None)
    return Verdict(State.ANSWERED, answer, payload, sure if len(said) == 1 else 0.0)


def _claim(item: ReviewItem, vote: ReviewVote) -> str:
    return claimed(item.batch.asks, vote.answer, vote.payload)


def _weigh(item: ReviewItem, given: Sequence[ReviewVote]) -> tuple[str, float]:
    """What is most probably true of what answers claim, and how probable it is.

    People alone decide which; what mining expected only counts for how sure that is where they differ. So a slip about
    two strangers needs no dispute, and that two of them are one person after all takes more than two against one.
    """
    asks = item.batch.asks
    models = {one.user_id: one for one in ErrorModel.objects.filter(user__in=[v.user_id for v in given], asks=asks)}
    prevalence = next((one.prevalence for one in models.values()), None)
    rates = [(_claim(item, vote), models[vote.user_id].errors if vote.user_id in models else None) for vote in given]
    said = posterior(ANSWERS[asks], rates, prevalence)
    counts = Counter(claim for claim, _ in rates)
    best = max(said, key=lambda answer: (said[answer], counts[answer]))
    sure = posterior(ANSWERS[asks], rates, _expected(item) or prevalence)[best]
    return best, max(sure, said[best]) if len(counts) == 1 else sure


def _expected(item: ReviewItem) -> dict[str, float] | None:
    """How likely mining held each answer about a pair for, within what it may be mistaken about."""
    if item.likely_same is None or set(ANSWERS[item.batch.asks]) != {"same", "different"}:
        return None
    same = min(max(item.likely_same, MISTAKEN), 1 - MISTAKEN)
    return {"same": same, "different": 1 - same}


def _decide(item: ReviewItem, verdict: Verdict, votes: Sequence[ReviewVote], by: User) -> None:
    completing = votes[-1]
    drafts = drafts_of(item, verdict.answer, verdict.payload or {})
    evidence = {
        **({} if item.gold else item.evidence),  # that of a known question is long, and kept nowhere
        "page": "review",
        "item": item.pk,
        "batch": item.batch_id,
        "run": item.batch.run_id,
        "answer": verdict.answer,
    }
    if item.batch.overlap > 1:
        evidence["sure"] = round(verdict.sure, 4)
        evidence["votes"] = [{"vote": v.pk, "user": v.user_id, "answer": v.answer} for v in votes[-LISTED:]]
    made = record(drafts, by=By(by, completing.seconds, evidence))
    completing.decision = made[0]
    completing.save(update_fields=["decision"])
    _close(item, State.ANSWERED, made[0])
    if verdict.answer in ASIDE:
        _close_moot(item, drafts[0].faces)
    else:
        _close_settled(item)


def _act_as_if(item: ReviewItem, verdict: Verdict, votes: Sequence[ReviewVote], by: User) -> None:
    """A known answer takes as long as a real one and is refused where that would be, and writes nothing."""
    with transaction.atomic():
        _decide(item, verdict, votes, by)
        transaction.set_rollback(True)
    votes[-1].decision = None
    _close(item, verdict.state, None)


def _close(item: ReviewItem, state: str, decision: Decision | None) -> None:
    item.state, item.decision = state, decision
    item.save(update_fields=["state", "decision"])


def _take_back(item: ReviewItem, decision: Decision, by: User) -> None:
    """Revert the decision; in its voter's name where they ask for it, else in Loupe's."""
    # Those who did not withdraw keep their votes: the ledger would take the completing one back with its decision.
    item.votes.filter(decision=decision, withdrawn_at=None).update(decision=None)
    own = decision.actor_id == by.pk
    revert(user=by if own else None, decision_id=decision.pk, evidence={"page": "review", "item": item.pk})


def _close_settled(item: ReviewItem) -> None:
    """Close other questions about the same suspect or pair, but those that somebody is answering right now.

    Of two people by two faces or by two rows of them is the same question.
    """
    alike = (ReviewBatch.Asks.PAIR, ReviewBatch.Asks.MERGE)
    asks = alike if item.batch.asks in alike else (item.batch.asks,)
    same = ReviewItem.objects.filter(state=State.OPEN, faces__0=item.faces[0], batch__asks__in=asks, gold="")
    _obsolete(same if item.batch.asks == ReviewBatch.Asks.SUSPECT else same.filter(faces=item.faces), item.decision)


def _close_moot(item: ReviewItem, faces: Sequence[int]) -> None:
    """Close other questions about faces that were set aside: suspects, and pairs as far as they are found quickly."""
    asks = (ReviewBatch.Asks.PAIR, ReviewBatch.Asks.SUSPECT)
    second = Q(batch=item.batch_id, batch__asks=ReviewBatch.Asks.PAIR, faces__1__in=faces)
    shown = Q(batch__asks__in=asks, faces__0__in=faces) | second
    _obsolete(ReviewItem.objects.filter(shown, state=State.OPEN, gold=""), item.decision)


def _obsolete(questions: QuerySet[ReviewItem], decision: Decision | None) -> None:
    free = questions.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)
    obsolete = ReviewItem.objects.filter(pk__in=list(free))
    obsolete.update(state=State.OBSOLETE, decision=decision)


def _said_directly(item: ReviewItem) -> Decision | None:
    """What a person said of the same elsewhere since the question was asked; it counts for more than votes."""
    since = {"decision__created_at__gt": item.batch.created_at, "decision__actor__isnull": False}
    if item.batch.asks == ReviewBatch.Asks.MERGE:
        merged = Identity.objects.filter(pk__in=item.identities).exclude(merged_into=None)
        merges = Decision.objects.filter(kind=Kind.MERGE, identity__in=merged, created_at__gt=item.batch.created_at)
        return _latest(_standing(merges))
    whose = item.faces[:1] if item.batch.asks == ReviewBatch.Asks.SUSPECT else item.faces
    labels = Label.objects.filter(face__in=whose, source=Label.Source.HUMAN, **since).select_related("decision")
    spoken = _standing(_not_in_queues(label.decision for label in labels))
    if len(spoken) == len(whose):
        return _latest(spoken)
    if item.batch.asks == ReviewBatch.Asks.PAIR:
        low, high = sorted(item.faces[:2])
        pairs = Constraint.objects.filter(face_a=low, face_b=high, **since).select_related("decision")
        return _latest(_standing(_not_in_queues(pair.decision for pair in pairs)))
    return None


def _not_in_queues(decisions: Iterable[Decision | None]) -> list[Decision]:
    return [decision for decision in decisions if decision and decision.evidence.get("page") != "review"]


def _standing(decisions: Iterable[Decision]) -> list[Decision]:
    """Those that hold: labels and pairs follow only later what is taken back."""
    found = list(decisions)
    gone = taken_back([decision.pk for decision in found]) if found else set()
    return [decision for decision in found if decision.pk not in gone]


def _latest(decisions: Iterable[Decision]) -> Decision | None:
    return max(decisions, key=lambda decision: decision.pk, default=None)
