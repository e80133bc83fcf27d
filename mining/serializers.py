"""Shapes of mining's REST bodies."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from mining.models import ErrorModel, ReviewBatch, ReviewItem, ReviewVote
from mining.services.boards import MOST
from mining.services.drafts import ANSWERS
from mining.vote_queries import OF_FACES, SKIP

MOST_LEASED = 100
MOST_ID = 2**63 - 1
ALL_ANSWERS = sorted({answer for answers in ANSWERS.values() for answer in answers}.union(OF_FACES))


class ReviewBatchSerializer(serializers.ModelSerializer[ReviewBatch]):
    total = serializers.IntegerField()
    open_items = serializers.IntegerField()
    disputed_items = serializers.IntegerField(help_text="Answered differently, and waiting for somebody to settle them")
    answers_left = serializers.IntegerField(help_text="How many answers are still wanted")
    minutes_left = serializers.FloatField(help_text="What these are expected to take")

    class Meta:
        model = ReviewBatch
        fields = (
            "id",
            "strategy",
            "asks",
            "parameters",
            "overlap",
            "run",
            "job",
            "report",
            "total",
            "open_items",
            "disputed_items",
            "answers_left",
            "expected_seconds",
            "minutes_left",
            "created_at",
        )
        read_only_fields = fields


class ReviewItemSerializer(serializers.ModelSerializer[ReviewItem]):
    """Nothing here may tell a question whose answer is known from any other."""

    lease_expires_at = serializers.DateTimeField(default=None, read_only=True, allow_null=True)
    identities = serializers.SerializerMethodField(
        help_text="The people whom a suspect may show; empty where they would give an answer away"
    )

    class Meta:
        model = ReviewItem
        fields = (
            "id",
            "batch",
            "ordinal",
            "faces",
            "identities",
            "value",
            "settles",
            "why",
            "state",
            "lease_expires_at",
        )
        read_only_fields = fields

    def get_identities(self, item: ReviewItem) -> list[int]:
        return item.identities if item.batch.asks == ReviewBatch.Asks.SUSPECT else []


class ItemFaceSerializer(serializers.Serializer[Any]):
    face = serializers.IntegerField()
    side = serializers.IntegerField(help_text="0 or 1 where a question has two sides")
    similarity = serializers.FloatField(allow_null=True, help_text="Cosine similarity to the medoid of a cluster")
    confirmed = serializers.BooleanField()


class LeaseSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=1, max_value=MOST_LEASED, required=False, default=10)
    items = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MOST_ID),
        max_length=MOST_LEASED,
        required=False,
        allow_null=True,
        default=None,
        help_text="Only these questions of the batch, as far as they are free",
    )


class LeasedSerializer(serializers.Serializer[Any]):
    items = ReviewItemSerializer(many=True)


class AnswerSerializer(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(
        choices=ALL_ANSWERS,
        help_text="About a pair: same, different. About a suspect: left (the first of the item's identities), right "
        "(the second), neither, both (the two are one person). About a cluster: same, different (its widest pair are "
        "two people). About two people: same, different. Instead of an answer: ignore or not_a_face, of faces that the "
        "question shows; somebody, of a suspect who is a third person",
    )
    payload = serializers.DictField(
        required=False,
        default=dict,
        help_text="With `same` about a cluster: ids of faces that leave it as `rejected` (not the person), `ignored`, "
        "`not_faces` or `split` (lists of faces, each a person of their own), and `name` (what the person is called) "
        "or `into` (the person who they are). With `ignore` or `not_a_face`: `faces`, their ids. "
        "With `somebody`: `into`",
    )
    seconds = serializers.FloatField(min_value=0, max_value=86_400, required=False, allow_null=True, default=None)


class OneOfSeveralSerializer(serializers.Serializer[Any]):
    item = serializers.IntegerField(min_value=1, max_value=MOST_ID)
    answer = serializers.ChoiceField(choices=[*ALL_ANSWERS, SKIP], help_text="As for one question, or skip")
    payload = serializers.DictField(required=False, default=dict)
    seconds = serializers.FloatField(min_value=0, max_value=86_400, required=False, allow_null=True, default=None)


class SeveralSerializer(serializers.Serializer[Any]):
    answers = serializers.ListField(child=OneOfSeveralSerializer(), min_length=1, max_length=MOST)

    def validate_answers(self, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({one["item"] for one in given}) < len(given):
            raise serializers.ValidationError("A question is answered once.")
        return given


class WithdrawSeveralSerializer(serializers.Serializer[Any]):
    votes = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MOST_ID), min_length=1, max_length=MOST
    )


class VoteSerializer(serializers.ModelSerializer[ReviewVote]):
    """The same for every question, whether its answer wrote a decision or not."""

    vote = serializers.IntegerField(source="id", read_only=True)
    state = serializers.CharField(source="item.state", read_only=True, help_text="Of the question, after the vote")

    class Meta:
        model = ReviewVote
        fields = ("vote", "item", "answer", "payload", "state")
        read_only_fields = fields


class RefusalSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField(source="message")


class OutcomeSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="The question that was answered, or the vote that was taken back")
    vote = VoteSerializer(allow_null=True)
    refused = RefusalSerializer(allow_null=True)


class OutcomesSerializer(serializers.Serializer[Any]):
    results = OutcomeSerializer(many=True)


class KnownAnswersSerializer(serializers.Serializer[Any]):
    right = serializers.IntegerField()
    wrong = serializers.IntegerField()
    share = serializers.FloatField()
    low = serializers.FloatField(help_text="of the 95% interval (Wilson)")
    high = serializers.FloatField()


class ErrorModelSerializer(serializers.ModelSerializer[ErrorModel]):
    class Meta:
        model = ErrorModel
        fields = ("asks", "errors", "prevalence", "votes")
        read_only_fields = fields


class AnnotatorSerializer(serializers.Serializer[Any]):
    """What hangs on known answers is as of `learned_at`."""

    id = serializers.IntegerField(source="user.pk")
    username = serializers.CharField(source="user.username")
    answers = serializers.IntegerField()
    skipped = serializers.IntegerField()
    per_hour = serializers.FloatField(allow_null=True, help_text="Answers in an hour of answering")
    median_seconds = serializers.FloatField(allow_null=True)
    last_at = serializers.DateTimeField(allow_null=True)
    known = KnownAnswersSerializer(help_text="Answers to questions whose answer was known")
    error_models = ErrorModelSerializer(source="models", many=True)
    learned_at = serializers.DateTimeField(allow_null=True)


class AgreementSerializer(serializers.Serializer[Any]):
    other = serializers.IntegerField(help_text="The other person")
    asks = serializers.CharField()
    shared = serializers.IntegerField(help_text="Questions that both answered")
    kappa = serializers.FloatField(allow_null=True, help_text="Cohen's; null where chance explains all")


class OneAnnotatorSerializer(AnnotatorSerializer):
    agreements = AgreementSerializer(many=True)


class AnnotatorsSerializer(serializers.Serializer[Any]):
    annotators = AnnotatorSerializer(many=True)
