"""`loupe login`, `loupe logout`, `loupe whoami`."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from typing import Any

from loupe import credentials
from loupe.cli.output import Output
from loupe.client import Client
from loupe.credentials import Credentials
from loupe.errors import UsageError


def add(resources: Any, shared: argparse.ArgumentParser) -> None:
    command = resources.add_parser("login", parents=[shared], help="sign in with an access token")
    command.add_argument("url", nargs="?", help="address of the server; asked for if left out")
    # There is no option for the token: command lines are seen by other users and kept in histories.
    command.epilog = "The token is asked for, or read from standard input or LOUPE_TOKEN; never from the command line."
    command.set_defaults(action=log_in)
    command = resources.add_parser("logout", parents=[shared], help="forget the stored access token")
    command.set_defaults(action=log_out)
    command = resources.add_parser("whoami", parents=[shared], help="who the server takes me for")
    command.set_defaults(action=who_am_i)


def log_in(options: argparse.Namespace, output: Output) -> None:
    url = options.url or os.environ.get("LOUPE_URL") or _ask("Server: ")
    url = credentials.normalised_url(url)
    if not credentials.is_private(url):
        output.note(f"Careful: {url} is not encrypted, so others on the network can read the token.")
    token = os.environ.get("LOUPE_TOKEN") or _ask_secret()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("That is no access token.", code="invalid_token")
    found = Credentials(url, token)
    with Client(found) as client:
        me = client.get("me")
    path = credentials.save(found)
    output.answer({"url": url, **me}, f"Signed in to {url} as {me['username']} ({me['role']}); stored in {path}.")


def log_out(options: argparse.Namespace, output: Output) -> None:
    existed = credentials.forget()
    text = "Signed out. Revoke the token on the server if nobody needs it." if existed else "Nothing was stored."
    output.answer({"forgotten": existed}, text)


def who_am_i(options: argparse.Namespace, output: Output) -> None:
    with Client(credentials.load()) as client:
        output.pairs(client.get("me"), ("username", "role", "capabilities"))


def _ask(question: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError("Give the server's address: loupe login URL.")
    return input(question)


def _ask_secret() -> str:
    token = getpass.getpass("Access token: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not token.strip():
        raise UsageError("No access token was given.", code="no_token")
    return token.strip()
