"""Beneath what people say of a face stays whom it showed without them, for the day that they take it back."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

_IMPORTED = """
    UPDATE annotation_label SET given_id = identity_id, given_as = source WHERE source IN ('import', 'synthetic')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0003_cluster_run_previews"),
    ]

    operations = [
        migrations.AddField(
            model_name="label",
            name="given",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="annotation.identity",
            ),
        ),
        migrations.AddField(
            model_name="label",
            name="given_as",
            field=models.CharField(
                blank=True,
                choices=[("import", "Imported with the photo"), ("synthetic", "Synthetic")],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.RunSQL(_IMPORTED, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(
                condition=models.Q(("given__isnull", False)), fields=["given", "face"], name="labels_by_given"
            ),
        ),
    ]
