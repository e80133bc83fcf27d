"""What a batch asks was read off its strategy's name; now the batch says so itself."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def note_suspects(apps: Any, schema_editor: Any) -> None:
    apps.get_model("mining", "ReviewBatch").objects.filter(strategy__contains="suspect").update(asks="suspect")


class Migration(migrations.Migration):
    dependencies = [("mining", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="reviewbatch",
            name="asks",
            field=models.CharField(
                choices=[("pair", "Are two faces one person?"), ("suspect", "Whom does a face show?")],
                default="pair",
                max_length=10,
            ),
        ),
        migrations.RunPython(note_suspects, migrations.RunPython.noop),
    ]
