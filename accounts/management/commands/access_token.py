from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import User
from accounts.roles import Capability
from accounts.services import create_token
from foundation.errors import LoupeError


class Command(BaseCommand):
    help = "Make an access token for a person and print it. It is shown only this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line")
        parser.add_argument("--days", type=int, default=90, help="how long it works (default 90)")
        parser.add_argument("--scope", action="append", choices=Capability.values, help="repeat for several")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['username']!r}.")
        expires_at = timezone.now() + timedelta(days=options["days"])
        try:
            _, secret = create_token(user=user, name=options["name"], scopes=options["scope"], expires_at=expires_at)
        except LoupeError as error:
            raise CommandError(error.message) from error
        self.stdout.write(secret)
