"""Shapes of the accounts' REST bodies."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import AccessToken
from accounts.roles import Capability, Role


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    username = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    capabilities = serializers.ListField(child=serializers.ChoiceField(choices=Capability.choices))


class KeysSerializer(serializers.Serializer[Any]):
    keys = serializers.DictField(
        child=serializers.CharField(max_length=24),
        help_text="Action to key, as in KeyboardEvent.key with `ctrl+` and `shift+` before it; left out: the default",
    )


FIELDS: tuple[str, ...] = (
    "id",
    "name",
    "prefix",
    "scopes",
    "created_at",
    "expires_at",
    "last_used_at",
    "revoked_at",
)


class TokenSerializer(serializers.ModelSerializer[AccessToken]):
    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = AccessToken
        fields = FIELDS
        read_only_fields = FIELDS


class NewTokenSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Capability.choices),
        required=False,
        help_text="Left out: all that your role has now",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class CreatedTokenSerializer(TokenSerializer):
    secret = serializers.CharField(read_only=True, help_text="Shown only in this answer")

    class Meta(TokenSerializer.Meta):
        fields = (*FIELDS, "secret")
        read_only_fields = (*FIELDS, "secret")
