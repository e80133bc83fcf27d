"""The ledger is append-only, and the database itself sees to that."""

from django.db import migrations

GUARD = """
CREATE FUNCTION annotation_decision_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'decisions are never changed or deleted; revert them with a new one'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER annotation_decision_append_only
    BEFORE UPDATE OR DELETE ON annotation_decision
    FOR EACH ROW EXECUTE FUNCTION annotation_decision_is_append_only();
"""

UNGUARD = """
DROP TRIGGER annotation_decision_append_only ON annotation_decision;
DROP FUNCTION annotation_decision_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial")]

    operations = [migrations.RunSQL(GUARD, UNGUARD)]
