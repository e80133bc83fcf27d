"""Runs that wait to be applied or dropped."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0002_append_only_ledger"),
    ]

    operations = [
        migrations.AlterField(
            model_name="clusterrun",
            name="state",
            field=models.CharField(
                choices=[
                    ("running", "Running"),
                    ("done", "Done"),
                    ("failed", "Failed"),
                    ("preview", "Preview"),
                    ("dropped", "Dropped"),
                ],
                default="running",
                max_length=10,
            ),
        ),
    ]
