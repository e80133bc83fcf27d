from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.roles import Role
from accounts.services import create_login_code, create_user
from foundation.errors import LoupeError


class Command(BaseCommand):
    help = "Add a person and print a one-time sign-in code for them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=Role.values, default=Role.ANNOTATOR.value)
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = create_user(username=options["username"], role=options["role"], email=options["email"])
        except LoupeError as error:
            raise CommandError(error.message) from error
        self.stdout.write(create_login_code(user=user))
