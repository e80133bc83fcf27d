"""Users, access tokens, one-time sign-in codes, and answers kept for `Idempotency-Key`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils import timezone

from accounts.roles import Role


class LoupeUserManager(UserManager["User"]):
    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> User:
        return super().create_superuser(username, email, password, **{"role": Role.MANAGER, **extra})


class User(AbstractUser):
    """A person. What they may do follows from `role` alone; Django's groups and flags do not widen it."""

    role = models.CharField(max_length=24, choices=Role.choices, default=Role.ANNOTATOR)
    keys = models.JSONField(default=dict, blank=True, help_text="Action to key, where it is not the default")

    objects: ClassVar[LoupeUserManager] = LoupeUserManager()


class AccessToken(models.Model):
    """A personal access token. Only the SHA-256 of its 256 random bits is kept, so a read database signs nobody in."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, help_text="First characters, to recognise it by")
    hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, help_text="Capabilities that it is limited to")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class LoginCode(models.Model):
    """A one-time sign-in code, typed into the sign-in page. Never part of an address: addresses end up in logs."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="login_codes")
    hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"sign-in code of {self.user}"


class SignInAttempt(models.Model):
    """A failed sign-in, kept for as long as the rate limit looks back."""

    address = models.CharField(max_length=64, help_text="Where it came from")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("address", "at"), name="signin_address_at"),)

    def __str__(self) -> str:
        return f"{self.address} at {self.at:%Y-%m-%d %H:%M:%S}"


class IdempotentAnswer(models.Model):
    """The answer that a write with an `Idempotency-Key` got, so that the same write again gets it once more."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    route = models.CharField(max_length=300, help_text="Method and path")
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty while the first call runs")
    body = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "key", "route"), name="one_answer_per_key"),)

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
