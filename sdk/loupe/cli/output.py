"""Answers go to stdout (tables, or JSON with --json); progress and errors to stderr, bars only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from loupe.errors import LoupeClientError

Step = Callable[[int, int], None]
_UNCUT: Final = 1_000_000


class Output:
    """Where one run of the command writes."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        # What a program reads is never cut to a screen's width.
        self._out = Console(
            file=sys.stdout, soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _UNCUT
        )
        self._err = Console(file=sys.stderr, soft_wrap=True, highlight=False)

    def answer(self, value: Any, text: str | None = None) -> None:
        """One result: as JSON, or as `text` (nothing without)."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        elif text is not None:
            self._out.print(Text(text))

    def rows(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], empty: str) -> None:
        """A list: one JSON array, or a table of `columns`."""
        rows = list(rows)
        if self.as_json:
            self.answer(rows)
            return
        if not rows:
            self._err.print(Text(empty))
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column.replace("_", " "), overflow="fold")
        for row in rows:
            table.add_row(*(Text(plain(row.get(column))) for column in columns))
        self._print(table)

    def pairs(self, value: Mapping[str, Any], fields: Sequence[str]) -> None:
        """One object: JSON, or a line per field."""
        if self.as_json:
            self.answer(value)
            return
        table = Table(box=None, show_header=False, pad_edge=False)
        for field in fields:
            if field in value:
                table.add_row(Text(field.replace("_", " "), style="bold"), Text(plain(value[field])))
        self._print(table)

    def _print(self, table: Table) -> None:
        if self._out.is_terminal:
            self._out.print(table)
            return
        with self._out.capture() as drawn:
            self._out.print(table)
        # In a pipe nothing is cut, so that one long value would fill all other lines with blanks.
        self._out.file.write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))

    def note(self, text: str) -> None:
        """A remark that is no result."""
        if not self.as_json:
            self._err.print(Text(text))

    def error(self, error: LoupeClientError) -> None:
        if self.as_json:
            sys.stderr.write(json.dumps({"error": {"code": error.code, "detail": error.message}}) + "\n")
        else:
            self._err.print(Text.assemble(("loupe: ", "bold red"), error.message))

    @contextmanager
    def progress(self, title: str, *, in_bytes: bool = False, rate_of: str = "") -> Iterator[Step]:
        """A bar with the time left, on a terminal only. The caller reports `(done, total)`.

        Args:
            rate_of: a noun; the bar says how many of these come per minute.
        """
        if self.as_json or not self._err.is_terminal:
            yield lambda done, total: None
            return
        size = DownloadColumn() if in_bytes else MofNCompleteColumn()
        columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(), size, TimeRemainingColumn()]
        if rate_of:
            columns.insert(3, _PerMinute(rate_of))
        with Progress(*columns, console=self._err, transient=True) as bars:
            task = bars.add_task(title, total=None)

            def step(done: int, total: int) -> None:
                bars.update(task, completed=done, total=total or None)

            yield step


class _PerMinute(ProgressColumn):
    def __init__(self, noun: str) -> None:
        super().__init__()
        self._noun = noun

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed * 60:,.0f} {self._noun}s/min")


def plain(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    return str(value)


def size(count: int) -> str:
    """Bytes as a person reads them."""
    number = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
