"""Inserting many rows at once, several times cheaper than through INSERT."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, models


def copy_in(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model by COPY, in the surrounding transaction; their primary keys stay unknown.

    Raises:
        IntegrityError: a constraint of the table is broken; nothing was inserted.
    """
    if not rows:
        return
    meta = rows[0]._meta
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row([field.pre_save(row, add=True) for field in fields])
